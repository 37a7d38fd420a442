/** The front as a program: one for the enclave, launched by the supervisor. */
import { systemClock } from '../../runtime/clock.ts';
import type { FromFront, ToFront } from '../messages.ts';
import { runProgram } from '../program.ts';
import { Front } from './front.ts';

let front: Front | undefined;

runProgram<ToFront, FromFront>(async (program, message, [key]) => {
  if (message.type === 'serve') {
    if (!key) return;
    front = new Front({ ...program, clock: systemClock }, message, key);
    key.dispose();
    await front.start();
  } else if (message.type === 'drain') {
    front?.drain();
  } else if (message.type === 'certificate') {
    if (!key) return;
    front?.show(message.certificatePem, key);
    key.dispose();
  } else {
    front?.answered(message);
  }
});
