/** What the boot phase of programs says of their end. */
import t from 'tap';
import { appEnclaveSchema } from '../../../../../config/app/app-enclave.ts';
import { programsPhase } from '../../../../../supervisor/boot/phases/app/programs.ts';
import type { Application } from '../../../../../supervisor/platform.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { phaseContext } from '../../../support/phase-context.ts';

t.test('lets programs stop one behind the other before anything is undone that they stand on', async (t) => {
  const task = { command: ['/bin/true'], kind: 'task' };
  const programs = { a: task, b: { ...task, after: ['a'] }, c: { ...task, after: ['b'] }, d: task };
  const config = appEnclaveSchema.parse({
    version: 1,
    workload: 'app',
    name: 'app',
    programs,
    restart: { stopGraceMs: 20_000 },
  });
  const given: (number | undefined)[] = [];
  const context = {
    ...phaseContext('programs', new FakeClock()),
    defer: (_cleanup: () => unknown, extraMs?: number) => void given.push(extraMs),
    signal: AbortSignal.abort(new Error('nothing is started here')),
  };
  const have = { config, application: {} as Application, kmsProxyEnvironment: {}, egressEnvironment: {} };
  await t.rejects(async () => programsPhase.run(have as Parameters<typeof programsPhase.run>[0], context), {
    message: 'nothing is started here',
  });
  t.same(given, [60_000]);
});
