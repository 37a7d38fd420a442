/** `acra-enclave keys reshare`: the data key anew, for those who keep it together. */
import { Command } from 'commander';
import { type RequestOptions, withRequestOptions } from '../../keys/enclave-options.ts';
import { runSimpleChange } from '../../keys/run-change.ts';

const HELP = `
A new data key is shared out among the KMS keys or operators that enclave.yaml names; old and new shares do not combine, and no session ends. What
makes the old set useless is in docs/key-keepers.md: the generation in the key policies, or new keys of the operators, the old ones destroyed.`;

export function reshareCommand(): Command {
  const command = new Command('reshare')
    .description('Share the keys of the running enclave out anew among those who keep them.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder of the enclave');
  return withRequestOptions(command)
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action((options: RequestOptions) => runSimpleChange(options, { kind: 'reshare' }));
}
