/** Commands of ours that documents name, held to the command line as it is: a flag that is gone would be found at the worst time. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { databaseCheck } from '../../cli/check-db/doctor-report.ts';
import { doctorCommand } from '../../cli/commands/doctor.ts';
import { PROJECT } from './imports.ts';

const FENCED = /^```sh[^\n]*\n([\s\S]*?)^```/gm;
const INLINE = /`([^`\n]+)`/g;
/** Behind it another program begins. */
const ENDS = /^([|;&]+|[0-9]*[<>].*|#.*)$/;

/** Lines of shell in a document, in fenced blocks and between back-ticks; continued lines are joined. */
export function shellLinesIn(markdown: string): string[] {
  const fenced = [...markdown.matchAll(FENCED)].flatMap(([, block = '']) => block.replace(/\\\n\s*/g, ' ').split('\n'));
  const inline = [...markdown.replace(FENCED, '').matchAll(INLINE)].map(([, code = '']) => code);
  // What a word is made of by another command is of no matter here.
  return [...fenced, ...inline].map((line) => line.replace(/\$\([^)]*\)/g, 'VALUE').trim());
}

/** The words behind `acra-enclave`, of each use of it. */
export function commandsIn(markdown: string): string[][] {
  return shellLinesIn(markdown).flatMap((line) =>
    [...line.matchAll(/(?:^|[|;&(]\s*)(?:sudo )?(?:bin\/)?acra-enclave\s+([^|;&)]*)/g)].map(([, rest = '']) => {
      const words = rest.split(/\s+/).filter((word) => word !== '');
      const end = words.findIndex((word) => ENDS.test(word));
      return end === -1 ? words : words.slice(0, end);
    }),
  );
}

async function topCommand(name: string): Promise<Command | undefined> {
  if (name === 'doctor') return doctorCommand(databaseCheck);
  const file = pathToFileURL(join(PROJECT, 'cli/commands', `${name}.ts`)).href;
  const exported: Readonly<Record<string, unknown>> = await import(file).catch(() => ({}));
  const make = Object.entries(exported).find(([key]) => key.endsWith('Command'))?.[1];
  return typeof make === 'function' ? ((await make([])) as Command) : undefined;
}

/** @returns what is wrong; undefined: command and flags are there */
export async function commandFault(words: readonly string[]): Promise<string | undefined> {
  const [name = '', ...rest] = words;
  let command = /^[a-z-]+$/.test(name) ? await topCommand(name) : undefined;
  if (command === undefined) return `there is no command ${name}`;
  for (const word of rest) {
    if (!word.startsWith('-')) {
      const next: Command | undefined = command.commands.find((each) => each.name() === word);
      if (next === undefined && command.commands.length > 0) return `${command.name()} has no command ${word}`;
      command = next ?? command;
      continue;
    }
    const [flag = ''] = word.split('=');
    const isThere =
      ['--help', '-h'].includes(flag) || command.options.some(({ short, long }) => short === flag || long === flag);
    if (!isThere) return `${command.name()} has no ${flag}`;
  }
  return undefined;
}
