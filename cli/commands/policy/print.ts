/** `acra-enclave policy print`: the key policy and the role's IAM policy, from measurements. */
import { Command } from 'commander';
import { makeKeyPolicy, makeRolePolicy } from '../../../kms/policy/key-policy.ts';
import type { Registers } from '../../../kms/policy/language/request-context.ts';
import { CliError } from '../../errors.ts';
import { collect } from '../../option-values.ts';
import { printJson, progress } from '../../output.ts';
import { databaseLogins, NO_DATABASE_RESOURCE } from '../../policy/database-logins.ts';
import { notesOn } from '../../policy/notes.ts';
import {
  isSameRegisters,
  registersFrom,
  type WishOptions,
  wishFrom,
  withWishOptions,
} from '../../policy/wish-options.ts';

interface PrintOptions extends WishOptions {
  readonly replace: readonly string[];
  readonly databaseResource?: string;
  readonly iam?: true;
  readonly json?: true;
}

async function readReplaced(options: PrintOptions, kept: readonly Registers[]): Promise<Registers[]> {
  const replaced: Registers[] = [];
  for (const file of options.replace) {
    const registers = await registersFrom(file, options);
    if (kept.some((each) => isSameRegisters(each, registers))) {
      throw new CliError('CLI_OPTION', `${file} has the measurements that the policy shall name`, {
        allowed: 'with --replace, the measurements of an image that must not decrypt any more',
      });
    }
    replaced.push(registers);
  }
  return replaced;
}

async function printPolicy(options: PrintOptions): Promise<void> {
  const wished = await wishFrom(options);
  const { wish, keyArn } = wished;
  const replaced = await readReplaced(options, wish.measurements);
  const keyPolicy = makeKeyPolicy(wish);
  const logins = databaseLogins(options);
  const rolePolicy = makeRolePolicy(wish, keyArn, logins);
  const notes = [...notesOn(wished, replaced), ...(logins === undefined ? [NO_DATABASE_RESOURCE] : [])];
  if (options.json) {
    printJson({ keyPolicy, rolePolicy, notes });
    return;
  }
  printJson(options.iam ? rolePolicy : keyPolicy);
  for (const note of notes) progress(note);
}

export function printCommand(): Command {
  const command = new Command('print').description(
    'Print the key policy that lets the measured enclave decrypt, and nobody else; --iam prints the IAM policy of the role. It puts nothing: `aws kms put-key-policy --policy-name default --policy file://…` does.',
  );
  return withWishOptions(command)
    .option('--replace <file>', 'measurements of an image that is left out: says what that means', collect, [])
    .option(
      '--database-resource <id>',
      'with database.login: rds-iam, the DbiResourceId or DbClusterResourceId: --iam lets the role be its users',
    )
    .option('--iam', 'print the IAM policy of the role in the key policy’s place')
    .option('--json', 'print both policies and the notes as JSON')
    .action(printPolicy);
}
