/** `acra-enclave logs`: the newest log records of the parent and of its enclave. */

import { Command } from 'commander';
import { z } from 'zod';
import { harmlessText } from '../../runtime/harmless-text.ts';
import type { DaemonOption } from '../ask-daemon.ts';
import { ask, lineCount } from '../ask-daemon.ts';
import { dim, printLine } from '../output.ts';

interface LogsOptions extends DaemonOption {
  readonly lines: string;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const record = z.looseObject({ time: z.string(), level: z.string(), source: z.string(), event: z.string() });

/** Nothing that an enclave wrote reaches a terminal raw. */
function readable(line: string): string {
  const { time, level, source, event, fields, ...own } = record.parse(JSON.parse(line));
  const shown = { ...own, ...(typeof fields === 'object' ? fields : {}) };
  const words = Object.entries(shown).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const facts = harmlessText(words.join(' '));
  return `${dim(harmlessText(time))} ${harmlessText(`${level.padEnd(5)} ${source} ${event}`)} ${dim(facts)}`.trimEnd();
}

async function showLogs(options: LogsOptions): Promise<void> {
  const wish = { lines: lineCount(options.lines), follow: options.follow === true };
  await ask(options, { command: 'logs', ...wish }, (reply) => {
    if (reply.type === 'line') printLine(options.json ? reply.text : readable(reply.text));
  });
}

export function logsCommand(): Command {
  return new Command('logs')
    .description('Show the newest log records of host-proxy and of the enclave; the daemon keeps 4,000.')
    .option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave")
    .option('-n, --lines <count>', 'how many', '50')
    .option('-f, --follow', 'go on until Ctrl-C or until the daemon stops')
    .option('--json', 'print the records as they are')
    .action(showLogs);
}
