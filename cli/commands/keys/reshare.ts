/** `acra-enclave keys reshare`: the data key anew, for those who keep it together. */
import type { Command } from 'commander';
import { simpleCommand } from '../../keys/simple-command.ts';

const HELP = `
A new data key is shared out among the KMS keys or operators that enclave.yaml names; old and new shares do not combine, and no session ends. What
makes the old set useless is in docs/key-keepers.md: the generation in the key policies, or new keys of the operators, the old ones destroyed.`;

export const reshareCommand = (): Command =>
  simpleCommand(
    { kind: 'reshare' },
    {
      name: 'reshare',
      description: 'Share the keys of the running enclave out anew among those who keep them.',
      help: HELP,
    },
  );
