/** `acra-enclave keys rotate master`: another master key, made in the running enclave. */
import type { Command } from 'commander';
import { simpleCommand } from '../../../keys/simple-command.ts';

const HELP = `
The data keys stay, so that everything in the database reads as before, and no session ends. The old master key opens the old key sets only:
whoever has copies of them, and may ask KMS, opens them until the key policy demands the new generation (docs/keys.md).`;

export const rotateMasterCommand = (): Command =>
  simpleCommand(
    { kind: 'rotate-master' },
    {
      name: 'master',
      description: 'Have the running enclave make another master key, and seal all keys under it.',
      help: HELP,
    },
  );
