/** `acra-enclave keys rotate kms`: the master key under another KMS key, without anybody seeing it. */
import type { Command } from 'commander';
import { simpleCommand } from '../../../keys/simple-command.ts';

const HELP = `
For another KMS key: name the new one in \`kms.keyArn\` and the old one under \`keys.formerKmsKeys\` of enclave.yaml, build the image, start it (it opens
the set that lies under the old one), and run this. No session ends. What KMS does by itself once a year (automatic rotation) needs nothing.`;

export const rotateKmsCommand = (): Command =>
  simpleCommand(
    { kind: 'rotate-kms' },
    {
      name: 'kms',
      description: 'Put the master key of the running enclave under a new data key of the KMS key in enclave.yaml.',
      help: HELP,
    },
  );
