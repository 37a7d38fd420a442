/** The audit log on disk: each record follows the one before it, and a line that was not finished is none. */
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HostProxyError } from '../../../host-proxy/errors.ts';
import { readChain } from '../../../host-proxy/keys/audit-chain.ts';
import { AuditLog } from '../../../host-proxy/keys/audit-log.ts';
import type { Happening } from '../../../host-proxy/keys/audit-record.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const taken = (generation: number): Happening => ({
  what: 'taken',
  generation,
  set: String(generation).padStart(64, '0'),
});

async function opened(folder: string) {
  const log = new AuditLog(folder, new FakeClock());
  await log.load();
  return log;
}

async function withThree(t: Test) {
  const folder = temporaryFolder(t);
  const log = await opened(folder);
  for (const generation of [1, 2, 3]) await log.append(taken(generation));
  const chain = () => readChain(readFileSync(log.path));
  return { folder, log, chain };
}

t.test('keeps records in a chain that goes on after a restart', async (t) => {
  const { folder, log, chain } = await withThree(t);
  const again = await opened(folder);
  t.equal(again.head, log.head);
  t.match(again.lastTaken, { generation: 3 });
  await again.append(taken(4));
  const { records, broken, head } = chain();
  t.equal(broken, undefined);
  t.equal(head, again.head);
  t.same(
    records.map(({ seq }) => seq),
    [1, 2, 3, 4],
  );
});

t.test('is readable for its owner alone', async (t) => {
  const { log } = await withThree(t);
  t.equal(statSync(log.path).mode & 0o777, 0o600);
});

t.test('keeps the order of what is appended at once', async (t) => {
  const { log, chain } = await withThree(t);
  await Promise.all([4, 5, 6].map((generation) => log.append(taken(generation))));
  t.match(chain(), { broken: undefined, lines: 6 });
});

t.test('cuts off a line that was not finished, and goes on behind the last whole one', async (t) => {
  const { folder, log, chain } = await withThree(t);
  const { head } = log;
  appendFileSync(log.path, '{"seq":4,"previ');
  const again = await opened(folder);
  t.equal(again.head, head);
  await again.append(taken(4));
  t.match(chain(), { broken: undefined, lines: 4, tornBytes: 0 });
});

t.test('goes on behind what another wrote meanwhile', async (t) => {
  const { folder, log, chain } = await withThree(t);
  await (await opened(folder)).append(taken(4));
  await log.append(taken(5));
  t.match(chain(), { broken: undefined, lines: 5 });
});

for (const [what, change, line] of [
  ['a changed record', (text: string) => text.replace('"generation":2', '"generation":7'), 3],
  ['a line that is missing', (text: string) => text.split('\n').toSpliced(1, 1).join('\n'), 2],
  ['a line that is there twice', (text: string) => `${text}${text.split('\n')[2]}\n`, 4],
  [
    'lines in another order',
    (text: string) =>
      text.split('\n').toSpliced(1, 2).join('\n') + text.split('\n').slice(1, 3).toReversed().join('\n'),
    2,
  ],
  ['a line that is no record', (text: string) => `${text}{"seq":4}\n`, 4],
] as const) {
  t.test(`tells ${what}, and where`, async (t) => {
    const { folder, log } = await withThree(t);
    writeFileSync(log.path, `${change(readFileSync(log.path, 'utf8')).trimEnd()}\n`);
    t.equal((await opened(folder)).broken?.line, line);
  });
}

t.test('does not hide a break behind what is appended later', async (t) => {
  const { folder, log, chain } = await withThree(t);
  writeFileSync(log.path, readFileSync(log.path, 'utf8').replace('"generation":2', '"generation":7'));
  await (await opened(folder)).append(taken(4));
  t.match(chain(), { broken: { line: 3 }, lines: 4 });
});

t.test('rejects an append that it cannot write (HOST_KEYS_AUDIT)', async (t) => {
  const folder = temporaryFolder(t);
  const log = await opened(folder);
  mkdirSync(join(folder, 'audit.jsonl'));
  await rejectsCode(() => log.append(taken(1)), HostProxyError, 'HOST_KEYS_AUDIT');
  t.equal(log.head, null);
});
