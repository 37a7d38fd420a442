/**
 * Loads the command that was asked for and no other, so that a daemon carries only its own code. Help, and a name that
 * nobody knows, need all of them.
 */
import type { Command } from 'commander';

/** By name, in the order of the help. A group loads its own commands from the words that follow its name. */
export type CommandTable = Readonly<Record<string, (words: readonly string[]) => Promise<Command>>>;

/** @param words what follows the parent's own name on the command line */
export async function addCommands(parent: Command, table: CommandTable, words: readonly string[]): Promise<Command> {
  const [name = '', ...rest] = words;
  const wanted = Object.hasOwn(table, name) ? [name] : Object.keys(table);
  for (const each of wanted) {
    const command = await table[each]?.(rest);
    if (command) parent.addCommand(command);
  }
  return parent;
}
