/** `acra-enclave keys rotate master`: another master key, made in the running enclave. */
import { Command } from 'commander';
import { type RequestOptions, withRequestOptions } from '../../../keys/enclave-options.ts';
import { runSimpleChange } from '../../../keys/run-change.ts';

const HELP = `
The data keys stay, so that everything in the database reads as before, and no session ends. The old master key opens the old key sets only:
whoever has copies of them, and may ask KMS, opens them until the key policy demands the new generation (docs/keys.md).`;

export function rotateMasterCommand(): Command {
  const command = new Command('master')
    .description('Have the running enclave make another master key, and seal all keys under it.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder of the enclave');
  return withRequestOptions(command)
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action((options: RequestOptions) => runSimpleChange(options, { kind: 'rotate-master' }));
}
