/** Says its last words on the machine's console and ends at once. */
import { drainConsole, machineConsole } from '../../../../supervisor/machine/console.ts';

machineConsole.log('fatal', 'machine.ending', { reason: 'the test is over', code: 'X', gone: undefined });
drainConsole();
process.exit(7);
