/** Any program as a supervised child with a secret: one specification, and nothing else to be changed. */
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { ChildSpec } from '../../../supervisor/children/child.ts';
import { SupervisedChild } from '../../../supervisor/children/child.ts';
import { startProcess } from '../../../supervisor/children/process.ts';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openConfinement } from '../support/open-confinement.ts';

const RESTART = {
  minMs: 1,
  maxMs: 1,
  breakerExits: 10,
  breakerWindowMs: 60_000,
  breakerRetryMs: 60_000,
  stopGraceMs: 5_000,
  probeTimeoutMs: 20_000,
};

function childOf(program: string, args: readonly string[], folder: string) {
  const { promise: printed, resolve } = Promise.withResolvers<string>();
  /** The one place. */
  const spec: ChildSpec = {
    name: 'greeter',
    launch: () =>
      startProcess({
        name: 'greeter',
        program,
        arguments: args,
        environment: { GREETING: 'hello' },
        secrets: [{ variable: 'NAME', encoding: 'utf8', value: SecretBuffer.take(Buffer.from('secret friend')) }],
        confinement: openConfinement(folder),
        clock: systemClock,
        onStreams: ([output]) => output && text(output as NodeJS.ReadableStream & AsyncIterable<Buffer>).then(resolve),
      }),
    probe: async () => undefined,
    judgeExit: ({ code, notLaunched }) => ({
      code: notLaunched ? 'NOT_LAUNCHED' : 'ENDED',
      meaning: notLaunched ? `${notLaunched.step} ${notLaunched.errno}` : `ended with ${code}`,
      restart: false,
      alert: false,
    }),
    restart: RESTART,
  };
  const { promise: failed, resolve: fail } = Promise.withResolvers<string>();
  const child = new SupervisedChild(spec, {
    clock: systemClock,
    random: seededRandom('process'),
    logger: new MemoryLogger(),
    onState: (state) => state.kind === 'failed' && fail(`${state.code}: ${state.reason}`),
    onFailure: (error) => fail(String(error)),
  });
  return { child, printed, failed };
}

t.test('supervises any program with a secret in its environment', async (t) => {
  const { child, printed, failed } = childOf('/bin/sh', ['-c', 'echo "$GREETING $NAME"; exit 3'], temporaryFolder(t));
  await child.start(new AbortController().signal);
  t.equal((await printed).trim(), 'hello secret friend');
  t.equal(await failed, 'ENDED: ended with 3');
  await child.stop();
});

t.test('tells why a program could not be executed, by the kernel’s own word', async (t) => {
  const folder = temporaryFolder(t);
  const { child, failed } = childOf(join(folder, 'none'), [], folder);
  const starting = child.start(new AbortController().signal).then(
    () => failed,
    (error: Error & { found?: string }) => `${error.message}; ${error.found}`,
  );
  t.match(await starting, /execute ENOENT/);
  await child.stop();
});

t.test('rejects a program that cannot be confined (CHILD_LAUNCH_FAILED)', async (t) => {
  const folder = temporaryFolder(t);
  const start = async () =>
    startProcess({
      name: 'greeter',
      program: '/bin/true',
      arguments: [],
      environment: {},
      secrets: [],
      confinement: {
        ...openConfinement(folder),
        enclose: () => {
          throw new SupervisorError('CHILD_CONFINEMENT_TAKEN', 'no');
        },
      },
      clock: systemClock,
      onStreams: () => t.fail('it printed'),
    });
  const error = await rejectsCode(start, SupervisorError, 'CHILD_LAUNCH_FAILED');
  t.match(error.cause, { code: 'SYSTEM_LAUNCH_FAILED', cause: { code: 'CHILD_CONFINEMENT_TAKEN' } });
});
