/** Commands that documents, messages and help name exist, with the options that are named with them: somebody copies them in an emergency. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import t from 'tap';
import { databaseCheck } from '../../cli/check-db/doctor-report.ts';
import { filesOf, PROJECT, readSource, withoutComments } from '../project/imports.ts';
import { SOURCE_FOLDERS } from '../project/source-folders.ts';

const COMMANDS = join(PROJECT, 'cli/commands');
const SOURCES = SOURCE_FOLDERS.filter((folder) => !['emulator', 'test', 'examples'].includes(folder));

/** All that there are, by the files that make them. */
async function allCommands(): Promise<Command> {
  const all = new Command('acra-enclave');
  for (const file of readdirSync(COMMANDS).filter((name) => name.endsWith('.ts') && name !== 'parent-keys.ts')) {
    for (const [name, make] of Object.entries(await import(join(COMMANDS, file)))) {
      if (!name.endsWith('Command') || name.startsWith('parent')) continue;
      all.addCommand(await (make as (given: unknown) => Promise<Command>)(file === 'doctor.ts' ? databaseCheck : []));
    }
  }
  return all;
}

const WORD = /^[a-z][a-z-]*$/;
const SPAN = /\\?`((?:[^`\\\n]|\\(?!`))+)\\?`/g;
const FENCED = /^(?:sudo )?(?:bin\/)?acra-enclave .*(?:\\\n.*)*/gm;
/** What the shell sees no more of. */
const END = /\s(?:[|&;>#]|&&|\|\|)|;/;

const subcommand = (of: Command, name: string) => of.commands.find((each) => each.name() === name);

/** @returns what is wrong with it; undefined: it exists, or is no command */
function faultOf(text: string, all: Command): string | undefined {
  const [line = ''] = text.replaceAll('\\\n', ' ').split(END);
  const words = line.trim().split(/\s+/);
  const named = /^(?:(?:sudo )?(?:\S*\/)?acra-enclave) /.test(line);
  if (named) words.splice(0, words.findIndex((word) => word.endsWith('acra-enclave')) + 1);
  else if (line.includes('${')) return undefined;
  else if ((subcommand(all, words[0] ?? '')?.commands.length ?? 0) === 0 || !WORD.test(words[1] ?? ''))
    return undefined;
  let at = all;
  while (at.commands.length > 0 && WORD.test(words[0] ?? '')) {
    const next = subcommand(at, words[0] ?? '');
    if (next === undefined) return `there is no ${words[0]} in ${at.name()}: ${line}`;
    at = next;
    words.shift();
  }
  const options = words.flatMap((word) => /^\[?(--[a-z][a-z0-9-]*)/.exec(word)?.[1] ?? []);
  const known = new Set(['--help', '--version', ...at.options.map(({ long }) => long)]);
  const unknown = at.commands.length > 0 ? undefined : options.find((option) => !known.has(option));
  return unknown === undefined ? undefined : `${at.name()} has no ${unknown}: ${line}`;
}

const all = await allCommands();

t.test('rejects a command and an option that there is not', async (t) => {
  t.match(faultOf('acra-enclave keys request', all), 'there is no request');
  t.match(faultOf('keys rotate database --settle', all), 'has no --settle');
  t.match(faultOf('bin/acra-enclave keys load --out x', all), 'has no --out');
  for (const fine of ['keys status', 'acra-enclave keys rotate …', 'acra-enclave status | grep --color', 'keys.folder'])
    t.equal(faultOf(fine, all), undefined, fine);
});

const documents = ['README.md', ...filesOf(['docs'], '.md')];
for (const [what, files, texts] of [
  ['documents', documents, (text: string) => [...text.matchAll(SPAN)].map(([, span = '']) => span)],
  ['documents, line by line', documents, (text: string) => [...text.matchAll(FENCED)].map(([line]) => line)],
  [
    'messages and help',
    filesOf(SOURCES),
    (text: string) => [...withoutComments(text).matchAll(SPAN)].map(([, span = '']) => span),
  ],
] as const) {
  t.test(`names no command in ${what} that does not exist`, async (t) => {
    const found = files.flatMap((file) => texts(readSource(file)).map((text) => ({ file, fault: faultOf(text, all) })));
    t.ok(found.length > 40, `${found.length} were read`);
    t.same(
      found.filter(({ fault }) => fault !== undefined),
      [],
    );
  });
}
