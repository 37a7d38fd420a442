/** A further program in the enclave, with a secret of its own: this is all that it takes. */
import { once } from 'node:events';
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
  const confinement = openConfinement(temporaryFolder(t));
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
          program: '/bin/sh',
          arguments: ['-c', 'echo up; exec sleep 1000'],
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
