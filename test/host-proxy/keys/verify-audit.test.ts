/** Whether an audit log holds: what is found in one that somebody changed, cut, or wrote himself, and where. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AuditLog } from '../../../host-proxy/keys/audit-log.ts';
import { encodeRecord, lineHash } from '../../../host-proxy/keys/audit-record.ts';
import { KeyFolder } from '../../../host-proxy/keys/key-folder.ts';
import { KeyRecords } from '../../../host-proxy/keys/key-records.ts';
import { type AuditDemands, verifyAudit } from '../../../host-proxy/keys/verify-audit.ts';
import { silentLogger } from '../../../runtime/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { makerOfSets } from './support/made-sets.ts';

type Line = Record<string, unknown>;

/** Three generations, made, recorded and taken as the daemon does it. */
async function threeGenerations(t: Test) {
  const path = temporaryFolder(t);
  const maker = makerOfSets();
  const folder = new KeyFolder(path);
  const records = new KeyRecords(new AuditLog(path, new FakeClock()), silentLogger);
  for (let count = 0; count < 3; count += 1) {
    const stored = await folder.store(await maker.next());
    const { action, request, approvedBy } = stored;
    await records.approved({ action, request, approvedBy: [...approvedBy] });
    await records.made(stored);
    await records.taken(stored);
  }
  const { sets } = await folder.list();
  const file = records.audit.path;
  const demands: AuditDemands = {
    rootDer: maker.enclave.chain.root.der,
    images: [maker.enclave.pcr0],
    head: records.audit.head ?? '',
    sets,
  };
  const verify = (changes: Partial<AuditDemands> = {}) => verifyAudit(readFileSync(file), { ...demands, ...changes });
  /** Somebody who may write the file makes the chain whole again behind each change. */
  const forge = (change: (lines: Line[]) => Line[]) => {
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    let previous: string | null = null;
    const forged = change(lines).map((line, index) => {
      const text = encodeRecord({ ...line, seq: index + 1, previous } as never);
      previous = lineHash(text);
      return text;
    });
    writeFileSync(file, `${forged.join('\n')}\n`);
  };
  return { path, file, sets, verify, forge, maker, records, folder };
}

t.test('holds as the daemon wrote it, and ends at its head', async (t) => {
  const { verify, sets } = await threeGenerations(t);
  t.match(verify(), {
    broken: undefined,
    notes: [],
    lines: 9,
    since: 0,
    sets: 3,
    lastTaken: { generation: 3, set: sets[2]?.sha256 },
  });
  t.match(verify({ head: undefined, sets: undefined, images: undefined }), {
    broken: undefined,
    images: { length: 1 },
  });
});

t.test('tells how much came behind a head that was kept earlier', async (t) => {
  const { verify, file } = await threeGenerations(t);
  const [, , third = ''] = readFileSync(file, 'utf8').split('\n');
  t.match(verify({ head: lineHash(third) }), { broken: undefined, since: 6 });
});

const FORGERIES: readonly (readonly [what: string, change: (lines: Line[]) => Line[], line: number, reason: RegExp])[] =
  [
    ['a set that was never made', (lines) => lines.toSpliced(4, 1), 5, /taken: .*does not know/],
    ['a change that nobody handed in', (lines) => lines.toSpliced(3, 1), 4, /made: nobody handed in/],
    ['a set that arrives twice', (lines) => [...lines, lines[1] ?? {}], 10, /made: the set is there already/],
    [
      'another generation',
      (lines) => lines.with(4, { ...lines[4], generation: 7 }),
      5,
      /generation 7 comes from generation 1/,
    ],
    [
      'another origin',
      (lines) => lines.with(4, { ...lines[4], from: '00'.repeat(32) }),
      5,
      /comes from a set that the log does not know/,
    ],
    [
      'a first set that is not the first',
      (lines) => lines.with(1, { ...lines[1], generation: 2 }),
      2,
      /comes from no other set/,
    ],
    [
      'another set than its document names',
      (lines) => lines.with(4, { ...lines[4], set: '00'.repeat(32) }),
      5,
      /document is of another set/,
    ],
    [
      'another request than its document names',
      (lines) =>
        lines.with(3, { ...lines[3], request: '00'.repeat(32) }).with(4, { ...lines[4], request: '00'.repeat(32) }),
      5,
      /document is of another request/,
    ],
    [
      'an older set that an enclave took',
      (lines) => [...lines, lines[2] ?? {}],
      10,
      /took generation 1 after generation 3/,
    ],
    [
      'a refusal of an unknown set',
      (lines) => [...lines, { ...lines[8], what: 'refused', set: '00'.repeat(32), code: 'X' }],
      10,
      /refused: .*does not know/,
    ],
  ];

for (const [what, change, line, reason] of FORGERIES) {
  t.test(`finds ${what}, though the chain was made whole again`, async (t) => {
    const { verify, forge } = await threeGenerations(t);
    forge(change);
    const { broken } = verify({ head: undefined });
    t.equal(broken?.line, line);
    t.match(broken?.reason, reason);
  });
}

t.test('finds a set of another line that an enclave took, of the same generation or a later one', async (t) => {
  const { verify, forge, maker, records, folder } = await threeGenerations(t);
  const twin = maker.sibling();
  const [used, unused] = [await folder.store(await maker.next()), await folder.store(twin)];
  await maker.takeInstead(twin);
  const later = await folder.store(await maker.next());
  const { sets } = await folder.list();
  await records.found({ sets, damaged: [] });
  await records.taken(used);
  t.match(verify({ head: undefined, sets }), { broken: undefined, lines: 13 }, 'both are there, and one is in use');
  await records.taken(unused);
  const reason = /generation 4 that was not made from the one of generation 4/;
  t.match(verify({ head: undefined, sets }).broken, { line: 14, reason });
  forge((lines) => lines.slice(0, 13));
  await records.taken(later);
  t.match(verify({ head: undefined, sets }).broken, {
    line: 14,
    reason: /generation 5 that was not made from the one/,
  });
});

t.test('finds by its head a log whose end was cut off, or that was written anew', async (t) => {
  const { verify, forge } = await threeGenerations(t);
  forge((lines) => lines.slice(0, 6));
  t.equal(verify({ head: undefined, sets: undefined }).broken, undefined, 'nothing else shows it');
  t.match(verify({ sets: undefined }).broken, { line: 7, reason: /no line has the head/ });
});

t.test('finds a set on disk that the log does not know', async (t) => {
  const { verify, forge } = await threeGenerations(t);
  forge((lines) => lines.slice(0, 6));
  t.match(verify({ head: undefined }).broken, { line: 7, reason: /holds a set that the log does not know: 000003/ });
});

t.test('finds what the chain itself shows: changed lines, and one that was not finished', async (t) => {
  const { verify, file } = await threeGenerations(t);
  const whole = readFileSync(file, 'utf8');
  writeFileSync(file, whole.replace('"seq":4', '"seq":5'));
  t.match(verify({ head: undefined }).broken, { line: 4 });
  writeFileSync(file, whole);
  appendFileSync(file, '{"seq":10');
  t.match(verify().broken, { line: 10, reason: 'the line was not finished' });
});

t.test('finds sets of another root, and of an image that was not named', async (t) => {
  const { verify, maker } = await threeGenerations(t);
  const stranger = makerOfSets().enclave;
  t.match(verify({ rootDer: stranger.chain.root.der }).broken, { line: 2, reason: /not authentic/ });
  t.match(verify({ images: ['ab'.repeat(48)] }).broken, { line: 2, reason: new RegExp(`PCR0 ${maker.enclave.pcr0}`) });
});

t.test('begins on another parent with what was restored there, and says so', async (t) => {
  const { path, sets, verify, file, records, folder } = await threeGenerations(t);
  rmSync(file);
  rmSync(join(path, sets[0]?.name ?? ''), { recursive: true });
  await records.audit.load();
  await records.found(await folder.list());
  const { broken, notes } = verify({ head: undefined, sets: (await folder.list()).sets });
  t.equal(broken, undefined);
  t.match(notes, [/begins with generation 2/, /generation 2 .*was found on disk/, /generation 3 .*was found on disk/]);
});
