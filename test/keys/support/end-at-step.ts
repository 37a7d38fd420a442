/**
 * Loaded before a program (`node --import`), it ends the process by SIGKILL at one of its steps: before the change of the file system
 * that END_AT_STEP numbers, from 0 on. With none of that number the program runs to its end, and says how many there were.
 */

import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env['END_AT_STEP']);
let step = 0;

function counted<Arguments extends unknown[], Result>(change: (...given: Arguments) => Result) {
  return (...given: Arguments): Result => {
    if (step === at) process.kill(process.pid, 'SIGKILL');
    step += 1;
    return change(...given);
  };
}

for (const name of ['mkdir', 'rename', 'open', 'rm', 'chmod'] as const)
  Reflect.set(promises, name, counted(promises[name] as never));
for (const name of ['rmSync', 'fsyncSync'] as const) Reflect.set(fs, name, counted(fs[name] as never));
syncBuiltinESMExports();
process.on('exit', () => process.stdout.write(String(step)));
