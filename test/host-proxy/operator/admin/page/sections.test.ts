/** What the page says of a status document, without a browser. */
import t from 'tap';
import { sectionsOf } from '../../../../../host-proxy/operator/admin/page/sections.js';
import { bytes, duration, time } from '../../../../../host-proxy/operator/admin/page/words.js';
import { type HostStatus, hostStatus } from '../../../../../host-proxy/operator/host-status.ts';
import { DEGRADED, FULL, QUIET } from '../../support/statuses.ts';

type Path = readonly (string | number)[];

function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Array.isArray(value) ? value.map((each, index) => [index, each] as const) : Object.entries(value);
  return entries.flatMap(([name, each]) => leavesOf(each, [...path, name]));
}

function changed(value: unknown): unknown {
  if (typeof value === 'string') return `${value}!`;
  if (typeof value === 'number') return value * 3 + 9_000_000;
  return typeof value === 'boolean' ? !value : 'told';
}

function withChange(status: HostStatus, path: Path): HostStatus {
  const copy = structuredClone(status);
  let inner = copy as unknown as Record<string | number, unknown>;
  for (const name of path.slice(0, -1)) inner = inner[name] as Record<string | number, unknown>;
  const last = path.at(-1) ?? '';
  inner[last] = changed(inner[last]);
  return copy;
}

t.test('shows everything that the status document has', async (t) => {
  hostStatus.parse(FULL);
  const before = JSON.stringify(sectionsOf(FULL));
  const leaves = leavesOf(FULL);
  t.ok(leaves.length > 200, 'leaves were found');
  const unseen = leaves.filter((path) => JSON.stringify(sectionsOf(withChange(FULL, path))) === before);
  const expected = [
    // The state is said once, in the words of the enclave; whether it answers stands in its own line.
    ...leaves.filter(([first, second]) => first === 'reason' && second === undefined),
    // Registers of zeros are told as such.
    ...leaves.filter(([first, second]) => first === 'measurements' && second === 'PCR3'),
  ];
  t.same(
    unseen.map((path) => path.join('.')).filter((path) => !expected.some((each) => each.join('.') === path)),
    [],
  );
});

t.test('says first whether applications can connect, and how many alarms there are', async (t) => {
  t.match(sectionsOf(QUIET).headline, { tone: 'good', state: 'Serving. No alarm.', title: 'Serving · acra-enclave' });
  t.match(sectionsOf(FULL).headline, {
    tone: 'warn',
    state: 'Serving. Alarms: 2 to page, 1 for a ticket.',
    title: '(2) Serving · acra-enclave',
  });
  t.match(sectionsOf(DEGRADED).headline, {
    tone: 'bad',
    state: /^Degraded: applications cannot connect\. Alarms/,
    reason: 'BOOT_DATABASE_UNREACHABLE: the database cannot be reached',
  });
  t.match(sectionsOf({ ...QUIET, ready: false, publicAddress: null }).headline, {
    tone: 'bad',
    state: /^Serving: applications cannot connect/,
  });
});

t.test('never tells of a silent enclave what it said before without saying so', async (t) => {
  const lost: HostStatus = { ...FULL, state: 'lost', ready: false, silentMs: 95_000 };
  const { headline, note, pairs } = sectionsOf(lost);
  t.match(headline.state, /^Lost/);
  t.equal(headline.tone, 'bad');
  t.match(note, 'silent for 1 min 35 s: this is what it said before');
  t.match(pairs['service']?.find(([, value]) => JSON.stringify(value).includes('phase serve'))?.[0], 'It said before');
  t.equal(sectionsOf(FULL).note, '');
});

t.test('gives every row of a table a key of its own', async (t) => {
  for (const [name, rows] of Object.entries(sectionsOf(FULL).rows))
    t.equal(new Set(rows.map(({ key }) => key)).size, rows.length, name);
});

t.test('shows 500 identities, those with most sessions first', async (t) => {
  const listed = Array.from({ length: 500 }, (_each, index) => ({
    clientId: index.toString(16).padStart(128, '0'),
    state: 'serving' as const,
    sessions: index % 7,
    restarts: 0,
  }));
  const { rows, pairs } = sectionsOf({ ...FULL, identities: { known: 800, running: 640, listed } });
  t.equal(rows['identities']?.length, 500);
  t.match(rows['identities']?.[0]?.cells[2], { text: '6' });
  t.match(JSON.stringify(pairs['identities']), '640 of 800 that may come; 140 are not listed');
});

t.test('writes numbers and times as people read them', async (t) => {
  t.same([0, 1023, 1536, 5 * 1024 ** 3].map(bytes), ['0 B', '1023 B', '1.5 KiB', '5.0 GiB']);
  t.same([0, 850, 1_500, 61_000, 7_260_000, 90_000_000].map(duration), [
    '0 ms',
    '850 ms',
    '1.5 s',
    '1 min 1 s',
    '2 h 1 min',
    '1 d 1 h',
  ]);
  t.equal(time(Date.UTC(2026, 10, 30, 3, 12, 9)), '2026-11-30 03:12:09 UTC');
});
