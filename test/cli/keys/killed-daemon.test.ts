/** host-proxy is killed at each of its steps on the disk while it carries a change: the next one brings the newest set, and no key is lost. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { KeyFolder } from '../../../host-proxy/keys/key-folder.ts';
import { clientsOf } from '../../../keys/set/clients.ts';
import { decodeKeySet } from '../../../keys/set/key-set.ts';
import { type KeptKeys, keptKeys } from './support/kept-keys.ts';

const PRELOAD = join(import.meta.dirname, '../../support/kill-at.ts');

/** Its steps, or with a number the end by SIGKILL before that step. */
const preload = (folder: string, steps: string, at?: number) => ({
  NODE_OPTIONS: `--import=${PRELOAD}`,
  KILL_UNDER: folder,
  KILL_STEPS: steps,
  ...(at === undefined ? {} : { KILL_AT: String(at) }),
});

const linesOf = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n');

async function withFirstSet(
  t: Test,
): Promise<KeptKeys & { readonly add: () => Promise<{ readonly code: number | undefined }> }> {
  const parts = await keptKeys(t, ['alice']);
  const { folder, keys, proof, machine, startDaemon, killDaemon, run } = parts;
  const change = ['--enclave', folder.enclave, '--key', keys[0] ?? '', ...proof];
  await startDaemon();
  await machine.connect();
  const made = await run('ceremony', ...change, '--client', folder.firstClient);
  t.equal(made.code, 0, made.stderr);
  await killDaemon();
  const second = folder.client();
  return { ...parts, add: () => run('add-client', ...change, '--client', second) };
}

async function clientsOnDisk(path: string) {
  const folder = new KeyFolder(path);
  const { sets } = await folder.list();
  const read = await Promise.all(sets.map((set) => folder.read(set)));
  return { sets, clients: read.map(({ keySet }) => clientsOf(decodeKeySet(keySet)).length) };
}

/** As many steps as the daemon has: with what it does at its start, and for one change. */
async function countSteps(t: Test): Promise<readonly string[]> {
  const { keysFolder, machine, startDaemon, killDaemon, add } = await withFirstSet(t);
  const steps = `${keysFolder}.steps`;
  await startDaemon(preload(keysFolder, steps));
  await machine.connect();
  t.equal((await add()).code, 0);
  await killDaemon();
  return linesOf(steps);
}

t.test('a change survives SIGKILL of host-proxy at every step', async (t) => {
  const steps = await countSteps(t);
  t.ok(steps.length > 15, steps.join(', '));
  const parts = await withFirstSet(t);
  const { enclave, keysFolder, machine, startDaemon, killDaemon, trustRoot, run, add } = parts;
  for (const [at, step] of steps.entries()) {
    await t.test(`killed before step ${at}: ${step}`, async (t) => {
      const before = enclave.taken?.generation ?? 0;
      const clients = clientsOf(enclave.taken ?? { keystore: [] }).length;
      const { outcome } = await startDaemon(preload(keysFolder, `${keysFolder}.steps-${at}`, at));
      // One that is killed while it starts takes neither an enclave nor a request.
      await machine.connect().catch(() => undefined);
      await add();
      await outcome;
      await startDaemon();
      await machine.reboot();
      const status = async () => JSON.parse((await run('status', '--json')).stdout);
      let now = await status();
      while (now.enclave?.taken === null) now = await status();
      const disk = await clientsOnDisk(keysFolder);
      t.equal(now.enclave.taken.sha256, disk.sets.at(-1)?.sha256, 'the next start brings the newest');
      t.ok([before, before + 1].includes(now.enclave.taken.generation), 'the change is there once, or not at all');
      t.same(
        disk.sets.map(({ generation }) => generation),
        Array.from(disk.sets, (_, index) => index + 1),
        'each generation is there once',
      );
      t.ok((disk.clients.at(-1) ?? 0) >= clients, 'no client has lost its keys');
      const audit = await run('audit', 'verify', '--trust-root', trustRoot);
      t.equal(audit.code, 0, audit.stdout);
      await killDaemon();
    });
  }
});
