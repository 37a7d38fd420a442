/** `acra-enclave console`: the enclave's serial console. */

import { Command } from 'commander';
import type { DaemonOption } from '../ask-daemon.ts';
import { ask, lineCount } from '../ask-daemon.ts';
import { printLine } from '../output.ts';

interface ConsoleOptions extends DaemonOption {
  readonly lines: string;
  readonly follow: boolean;
}

async function showConsole(options: ConsoleOptions): Promise<void> {
  const wish = { lines: lineCount(options.lines), follow: options.follow };
  await ask(options, { command: 'console', ...wish }, (reply) => {
    if (reply.type === 'line') printLine(reply.text);
  });
}

export function consoleCommand(): Command {
  return new Command('console')
    .description("Show the enclave's serial console and go on until Ctrl-C.")
    .option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave")
    .option('-n, --lines <count>', 'how many of the lines that came before; the daemon keeps 2,000', '2000')
    .option('--no-follow', 'end after these')
    .addHelpText(
      'after',
      '\nUnder nitro-cli there is a console only in debug mode; a debug enclave attests PCRs of zeros, so KMS refuses it.',
    )
    .action(showConsole);
}
