/** A daemon carries only its own code: the command line loads what was asked for. */
import { Command } from 'commander';
import t from 'tap';
import type { CommandTable } from '../../cli/load-commands.ts';
import { addCommands } from '../../cli/load-commands.ts';

async function loadedBy(words: readonly string[]): Promise<string[]> {
  const loaded: string[] = [];
  const leaf = (name: string) => async () => {
    loaded.push(name);
    return new Command(name);
  };
  const inner: CommandTable = { build: leaf('build'), sign: leaf('sign') };
  const table: CommandTable = {
    run: leaf('run'),
    stop: leaf('stop'),
    eif: (rest) => addCommands(new Command('eif'), inner, rest),
  };
  await addCommands(new Command(), table, words);
  return loaded;
}

t.test('loads the command that was asked for and no other', async (t) => {
  t.same(await loadedBy(['run', '--config', 'stop']), ['run']);
  t.same(await loadedBy(['eif', 'sign', 'build']), ['sign']);
});

t.test('loads all for help and for a name that nobody knows', async (t) => {
  for (const words of [[], ['--help'], ['help', 'run'], ['nope'], ['constructor']]) {
    t.same(await loadedBy(words), ['run', 'stop', 'build', 'sign'], words.join(' '));
  }
  t.same(await loadedBy(['eif', '--help']), ['build', 'sign']);
});
