/** SIGKILL at each step on the disk: no key set is lost, none is there twice or half, and the audit log stays a chain that knows them all. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import t, { type Test } from 'tap';
import { readChain } from '../../../host-proxy/keys/audit-chain.ts';
import { AUDIT_FILE, AuditLog } from '../../../host-proxy/keys/audit-log.ts';
import { KeyFolder } from '../../../host-proxy/keys/key-folder.ts';
import { KeyRecords } from '../../../host-proxy/keys/key-records.ts';
import { keySetDigest } from '../../../keys/set/key-set.ts';
import { silentLogger } from '../../../runtime/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { makerOfSets } from './support/made-sets.ts';

const PRELOAD = join(import.meta.dirname, '../../support/kill-at.ts');
const PROGRAM = join(import.meta.dirname, 'support/keep-set.ts');

async function prepared(t: Test) {
  const root = temporaryFolder(t);
  const path = join(root, 'keys');
  const maker = makerOfSets();
  const [first, second] = [await maker.next(), await maker.next()];
  const folder = new KeyFolder(path);
  folder.prepare();
  const records = new KeyRecords(new AuditLog(path, new FakeClock()), silentLogger);
  await records.made(await folder.store(first));
  const files = [join(root, 'set'), join(root, 'transcript')] as const;
  writeFileSync(files[0], second.keySet);
  writeFileSync(files[1], second.transcript);
  return { root, path, files, hashes: [first, second].map(({ keySet }) => keySetDigest(keySet)) };
}

/** @param at number of the step before which it is killed; none: to the end */
async function keep(folder: string, files: readonly string[], at?: number) {
  const steps = `${folder}.steps`;
  const environment = { KILL_UNDER: folder, KILL_STEPS: steps, ...(at !== undefined && { KILL_AT: String(at) }) };
  const child = spawn(execPath, ['--import', PRELOAD, PROGRAM, folder, ...files], {
    env: { ...process.env, NODE_OPTIONS: undefined, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code, signal] = await once(child, 'exit');
  return { signal, code, steps: readFileSync(steps, 'utf8').trim().split('\n') };
}

async function stateOf(path: string) {
  const { sets, damaged } = await new KeyFolder(path).list();
  const { records, broken } = readChain(readFileSync(join(path, AUDIT_FILE)));
  const arrived = records.flatMap((each) => (each.what === 'made' || each.what === 'restored' ? [each.set] : []));
  return { sets: sets.map(({ sha256 }) => sha256), damaged, broken, arrived };
}

t.test(
  'a set that is killed at any step is there whole or not at all, and the next start completes the log',
  async (t) => {
    const { root, path, files, hashes } = await prepared(t);
    const [first = ''] = hashes;
    const copies = join(root, 'copies');
    mkdirSync(copies);
    cpSync(path, join(copies, 'whole'), { recursive: true });
    const { steps, code } = await keep(join(copies, 'whole'), files);
    t.equal(code, 0);
    t.ok(steps.length > 12, steps.join(', '));
    for (const [at, step] of steps.entries()) {
      await t.test(`killed before step ${at}: ${step}`, async (t) => {
        const copy = join(copies, String(at));
        cpSync(path, copy, { recursive: true });
        t.equal((await keep(copy, files, at)).signal, 'SIGKILL');
        const killed = await stateOf(copy);
        t.equal(killed.sets[0], first, 'the set that was there is there');
        t.ok(killed.sets.length <= 2 && killed.damaged.length <= 1);
        t.equal((await keep(copy, files)).code, 0, 'the next start, with the same set');
        const after = await stateOf(copy);
        t.same(after.sets, hashes, 'both are there');
        t.equal(after.broken, undefined);
        t.same(after.arrived, hashes, 'each arrived once, in the log');
      });
    }
  },
);
