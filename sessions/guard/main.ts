/** The guard as a program: one for each identity, launched by the supervisor. */
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { FromGuard, ToGuard } from '../messages.ts';
import { runProgram } from '../program.ts';
import { Guard } from './guard.ts';

let starting: Promise<Guard> | undefined;
let guard: Guard | undefined;

// What is written to the channel then is with the kernel before the process is gone.
process.on('exit', () => guard?.tellCounts());

runProgram<ToGuard, FromGuard>(async (program, message, secrets) => {
  if (message.type === 'serve') {
    starting = Guard.start({ ...program, clock: systemClock, random: systemRandom }, message, secrets);
    guard = await starting;
  } else if (message.type === 'secrets') {
    // The supervisor waits for the answer, and may ask a guard that has not begun yet.
    const started = await starting;
    started?.change(message, secrets);
  } else if (message.type === 'login-token' || message.type === 'no-login-token') {
    guard?.takeToken(message, secrets);
  } else {
    guard?.drain(message.isLast);
  }
});
