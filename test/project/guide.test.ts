/** docs/guide.md: every command of ours exists with its flags, every target of make does, and every block says where it runs. */
import t from 'tap';
import { commandFault, commandsIn, shellLinesIn } from './documented-commands.ts';
import { readSource } from './imports.ts';

const GUIDE = readSource('docs/guide.md');
const PLACES = ['clone', 'laptop', 'qemu', 'ec2'];

t.test('keeps commands to those that there are, with their flags', async (t) => {
  const commands = commandsIn(GUIDE);
  t.ok(commands.length > 15);
  const faults = await Promise.all(commands.map(async (words) => [words.join(' '), await commandFault(words)]));
  t.same(
    faults.filter(([, fault]) => fault !== undefined),
    [],
  );
});

t.test('keeps targets of make to those that there are', async (t) => {
  const targets = new Set([...readSource('Makefile').matchAll(/^([a-z0-9-]+):/gm)].map(([, name]) => name));
  const named = shellLinesIn(GUIDE).flatMap((line) =>
    [...line.matchAll(/(?:^|\s)make ([a-z0-9-]+)/g)].map(([, name]) => name),
  );
  t.ok(named.length > 4);
  t.same(
    named.filter((name) => !targets.has(name)),
    [],
  );
});

t.test('keeps every block marked with where it runs', async (t) => {
  const marks = [...GUIDE.matchAll(/^```sh ?(.*)$/gm)].map(([, mark]) => mark);
  t.ok(marks.length > 10);
  t.same(
    marks.filter((mark) => !PLACES.includes(mark ?? '')),
    [],
  );
});
