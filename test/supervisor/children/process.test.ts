/** A further program in the enclave, with a secret of its own: this is all that it takes. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { SupervisedChild } from '../../../supervisor/children/child.ts';
import { startProcess } from '../../../supervisor/children/process.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { environmentVariable } from '../../support/processes.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openConfinement } from '../support/open-confinement.ts';

t.test('supervises any program with a secret that stands nowhere but in its environment', async (t) => {
  const folder = temporaryFolder(t);
  const greeting = join(folder, 'greeting');
  writeFileSync(greeting, 'up\n', { mode: 0o644 });
  const confinement = openConfinement(folder);
  const token = SecretBuffer.take(Buffer.from('a token, as text'));
  const logger = new MemoryLogger();
  const { promise: failed, reject } = Promise.withResolvers<void>();
  failed.catch(() => undefined);
  let said: Promise<unknown> = Promise.resolve();
  const child = new SupervisedChild(
    {
      name: 'further',
      launch: () =>
        startProcess({
          name: 'further',
          // Says what is in the file, and stays: a program that becomes another one has no environment for a moment.
          program: '/usr/bin/tail',
          arguments: ['-n', '+1', '-f', greeting],
          environment: {},
          secrets: [{ variable: 'TOKEN', value: token, encoding: 'utf8' }],
          confinement,
          clock: systemClock,
          onStreams: ([stdout]) => {
            said = stdout ? once(stdout, 'data') : said;
          },
        }),
      probe: async () => void (await said),
      judgeExit: () => ({ code: 'ENDED', meaning: 'it ended', restart: true, alert: false }),
      restart: {
        minMs: 1,
        maxMs: 1,
        breakerExits: 10,
        breakerWindowMs: 60_000,
        breakerRetryMs: 60_000,
        stopGraceMs: 5_000,
        probeTimeoutMs: 20_000,
      },
    },
    { clock: systemClock, random: seededRandom('further'), logger, onState: () => undefined, onFailure: reject },
  );
  t.teardown(() => child.stop());
  await child.start(AbortSignal.timeout(20_000));
  t.equal(environmentVariable(child.pid ?? 0, 'TOKEN'), 'a token, as text');
  t.notOk(JSON.stringify(logger.records).includes('token'));
});
