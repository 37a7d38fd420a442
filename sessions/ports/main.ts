/** The ports as a program: one for the enclave, launched by the supervisor. */
import { systemClock } from '../../runtime/clock.ts';
import { runProgram } from '../program.ts';
import type { FromPorts, ToPorts } from './messages.ts';
import { Ports } from './ports.ts';

let ports: Ports | undefined;

runProgram<ToPorts, FromPorts>(async (program, message, [key]) => {
  if (message.type === 'serve') {
    if (!key) return;
    ports = new Ports({ ...program, clock: systemClock }, message, key);
    key.dispose();
    await ports.start();
  } else if (message.type === 'drain') {
    ports?.drain();
  } else if (message.type === 'certificate') {
    if (!key) return;
    ports?.show(message.certificatePem, key);
    key.dispose();
  } else {
    ports?.answered(message);
  }
});
