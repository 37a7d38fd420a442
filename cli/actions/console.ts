/** Prints the enclave's serial console; the daemon has made its control characters harmless. */
import { printLine } from '../output.ts';
import type { DaemonOption } from './ask.ts';
import { ask, lineCount } from './ask.ts';

export interface ConsoleOptions extends DaemonOption {
  readonly lines: string;
  readonly follow: boolean;
}

export async function showConsole(options: ConsoleOptions): Promise<void> {
  const wish = { lines: lineCount(options.lines), follow: options.follow };
  await ask(options, { command: 'console', ...wish }, (reply) => {
    if (reply.type === 'line') printLine(reply.text);
  });
}
