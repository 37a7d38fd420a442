/** Says its last words on the machine's console, argv[2] times so many characters before (default none), and ends at once. */
import { drainConsole, machineConsole } from '../../../../supervisor/machine/console.ts';

const [, , records = '0', characters = '0'] = process.argv;
for (let index = 0; index < Number(records); index += 1) {
  machineConsole.log('info', 'test.event', { index, text: 'x'.repeat(Number(characters)) });
}
machineConsole.log('fatal', 'machine.ending', { reason: 'the test is over', code: 'X', gone: undefined });
drainConsole();
process.exit(7);
