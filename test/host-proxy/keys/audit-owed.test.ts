/** An audit log that cannot be written for a while, as on a full disk: what happened meanwhile is in it afterwards, in the order in which it happened. */
import { mkdirSync, readFileSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HostProxyError } from '../../../host-proxy/errors.ts';
import { AuditLog } from '../../../host-proxy/keys/audit-log.ts';
import { KeyFolder } from '../../../host-proxy/keys/key-folder.ts';
import { KeyRecords } from '../../../host-proxy/keys/key-records.ts';
import { factsOf } from '../../../host-proxy/keys/stored-set.ts';
import { verifyAudit } from '../../../host-proxy/keys/verify-audit.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { makerOfSets } from './support/made-sets.ts';

async function keeping(t: Test) {
  const maker = makerOfSets();
  const folder = new KeyFolder(join(temporaryFolder(t), 'keys'));
  folder.prepare();
  const logger = new MemoryLogger();
  const records = new KeyRecords(new AuditLog(folder.path, new FakeClock()), logger);
  await records.begin();
  const approve = ({ action, request, approvedBy }: ReturnType<typeof factsOf>) =>
    records.approved({ action, request, approvedBy: [...approvedBy] });
  const make = async () => {
    const files = await maker.next();
    return { files, facts: factsOf(files) };
  };
  const first = await make();
  await approve(first.facts);
  await records.made(await folder.store(first.files));
  await records.taken(first.facts);
  const { path } = records.audit;
  /** A folder in its place is as unwritable for root as for anybody. */
  const breakLog = () => {
    renameSync(path, `${path}.aside`);
    mkdirSync(path);
  };
  const mendLog = () => {
    rmdirSync(path);
    renameSync(`${path}.aside`, path);
  };
  const report = async () => {
    const { sets } = await folder.list();
    const rootDer = maker.enclave.chain.root.der;
    return verifyAudit(readFileSync(path), { rootDer, images: undefined, head: undefined, sets });
  };
  const whats = () =>
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).what);
  return { records, folder, logger, make, approve, breakLog, mendLog, report, whats };
}

t.test('records a set that was made before that it was taken, though only the latter could be written', async (t) => {
  const { records, folder, make, approve, breakLog, mendLog, report, whats, logger } = await keeping(t);
  const { files, facts } = await make();
  await approve(facts);
  breakLog();
  await records.made(await folder.store(files));
  await records.found(await folder.list());
  t.match(
    logger.records.filter(({ event }) => event === 'keys.audit-failed'),
    [{ fields: { what: 'made' } }],
  );
  mendLog();
  await records.taken(facts);
  t.same(whats().slice(3), ['approved', 'made', 'taken']);
  t.equal((await report()).broken, undefined);
});

t.test('writes what it owes as soon as it can, without anything else happening', async (t) => {
  const { records, folder, make, approve, breakLog, mendLog, report, whats } = await keeping(t);
  const { files, facts } = await make();
  await approve(facts);
  breakLog();
  await records.made(await folder.store(files));
  await records.taken(facts);
  await records.foundTaken(facts);
  mendLog();
  await records.found(await folder.list());
  t.same(whats().slice(3), ['approved', 'made', 'taken'], 'each once');
  t.equal((await report()).broken, undefined);
});

t.test('begins nothing while the log owes a record (HOST_KEYS_AUDIT)', async (t) => {
  const { records, make, approve, breakLog, mendLog, whats } = await keeping(t);
  const { facts } = await make();
  await approve(facts);
  breakLog();
  await records.made(facts);
  await rejectsCode(() => approve(facts), HostProxyError, 'HOST_KEYS_AUDIT');
  mendLog();
  await approve(facts);
  t.same(whats().slice(3), ['approved', 'made', 'approved']);
});
