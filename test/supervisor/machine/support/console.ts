/** Says its last words on the machine's console and ends at once; argv[2] `closed`: after the console is gone. */
import { closeSync } from 'node:fs';
import { machineConsole } from '../../../../supervisor/machine/console.ts';

const STDERR = 2;

if (process.argv[2] === 'closed') closeSync(STDERR);
machineConsole.log('fatal', 'machine.ending', { reason: 'the test is over', code: 'X', gone: undefined });
process.exit(7);
