/** A supervisor whose very first phase fails, in a process that has nothing else to wait for. Prints how it ended. */
import { systemClock } from '../../../runtime/clock.ts';
import { silentLogger } from '../../../runtime/log.ts';
import { Supervisor } from '../../../supervisor/daemon.ts';
import type { Platform } from '../../../supervisor/platform.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const SHORT_MS = 20;

const platform: Partial<Platform> = {
  simulated: true,
  runtimeFolder: '/',
  prepareMachine: async () => {
    throw new Error('no file systems');
  },
};
const supervisor = new Supervisor({
  platform: platform as Platform,
  folder: '/',
  acraProgram: { kind: 'path', program: '', leadingArguments: [], sha256: '', description: '' },
  release: '0',
  clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, SHORT_MS), signal) },
  random: seededRandom('boot'),
  console: silentLogger,
});
const exit = await supervisor.run();
if (process.argv[2] === 'panic') await supervisor.lastWords(new Error('panic'));
console.log(exit.kind);
