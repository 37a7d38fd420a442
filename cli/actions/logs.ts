/** Prints log records of the running daemon. */
import { z } from 'zod';
import { harmlessText } from '../../runtime/harmless-text.ts';
import { dim, printLine } from '../output.ts';
import type { DaemonOption } from './ask.ts';
import { ask, lineCount } from './ask.ts';

export interface LogsOptions extends DaemonOption {
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

export async function showLogs(options: LogsOptions): Promise<void> {
  const wish = { lines: lineCount(options.lines), follow: options.follow === true };
  await ask(options, { command: 'logs', ...wish }, (reply) => {
    if (reply.type === 'line') printLine(options.json ? reply.text : readable(reply.text));
  });
}
