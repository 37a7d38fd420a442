/** `acra-enclave keys rotate kms`: the master key under another KMS key, without anybody seeing it. */
import { Command } from 'commander';
import { type RequestOptions, withRequestOptions } from '../../../keys/enclave-options.ts';
import { runSimpleChange } from '../../../keys/run-change.ts';

const HELP = `
For another KMS key: name the new one in \`kms.keyArn\` and the old one under \`keys.formerKmsKeys\` of enclave.yaml, build the image, start it (it opens
the set that lies under the old one), and run this. No session ends. What KMS does by itself once a year (automatic rotation) needs nothing.`;

export function rotateKmsCommand(): Command {
  const command = new Command('kms')
    .description('Put the master key of the running enclave under a new data key of the KMS key in enclave.yaml.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder of the enclave');
  return withRequestOptions(command)
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action((options: RequestOptions) => runSimpleChange(options, { kind: 'rotate-kms' }));
}
