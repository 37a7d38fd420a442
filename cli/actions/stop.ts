/** Asks the daemon to stop, and waits until the enclave has. */
import { printLine, progress } from '../output.ts';
import type { DaemonOption } from './ask.ts';
import { ask } from './ask.ts';

export async function stopEnclave(options: DaemonOption): Promise<void> {
  const how = await ask(options, { command: 'stop' }, (reply) => {
    if (reply.type === 'progress') progress(reply.text);
  });
  printLine(how === undefined ? 'no longer waiting; the enclave goes on stopping' : `the enclave has stopped: ${how}`);
}
