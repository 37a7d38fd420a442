/** Commands that only ask a running enclave for a change: they differ in what they ask for, and in what there is to know of it. */
import { Command } from 'commander';
import type { KeyAction } from '../../keys/requests/key-request.ts';
import { keysContext } from '../keys-context.ts';
import { requireDatabaseUser } from './database-user.ts';
import { type RequestOptions, withRequestOptions } from './enclave-options.ts';
import { runChange } from './run-change.ts';

interface SimpleCommand {
  readonly name: string;
  readonly description: string;
  /** Stands below the options. */
  readonly help: string;
}

/** @throws ConfigError; CliError CLI_KEYS_IN_IMAGE, and what runChange throws */
async function ask(options: RequestOptions, action: KeyAction): Promise<void> {
  await runChange(options, keysContext(options.enclave), { kind: action.kind, plan: async () => action });
}

function commandOf({ name, description, help }: SimpleCommand): Command {
  const command = new Command(name)
    .description(description)
    .requiredOption('-e, --enclave <folder>', 'the measured folder of the enclave');
  return withRequestOptions(command).option('--json', 'print JSON').addHelpText('after', help);
}

export function simpleCommand(action: KeyAction, wording: SimpleCommand): Command {
  return commandOf(wording).action((options: RequestOptions) => ask(options, action));
}

/** Of one user of the database. */
export function databaseUserCommand(actionFor: (user: string) => KeyAction, wording: SimpleCommand): Command {
  return commandOf(wording)
    .argument('<user>', 'a user of `database.users` in enclave.yaml')
    .action(async (user: string, options: RequestOptions) => {
      requireDatabaseUser(options.enclave, user);
      await ask(options, actionFor(user));
    });
}
