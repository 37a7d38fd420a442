/** `acra-enclave stop`: ends the enclave in order, then the daemon. */

import { Command } from 'commander';
import type { DaemonOption } from '../ask-daemon.ts';
import { ask } from '../ask-daemon.ts';
import { printLine, progress } from '../output.ts';

async function stopEnclave(options: DaemonOption): Promise<void> {
  const how = await ask(options, { command: 'stop' }, (reply) => {
    if (reply.type === 'progress') progress(reply.text);
  });
  printLine(how === undefined ? 'no longer waiting; the enclave goes on stopping' : `the enclave has stopped: ${how}`);
}

export function stopCommand(): Command {
  return new Command('stop')
    .description('Stop the enclave in order, wait for it, and tell how it ended; the daemon ends too.')
    .option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave")
    .action(stopEnclave);
}
