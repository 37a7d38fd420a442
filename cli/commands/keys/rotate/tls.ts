/** `acra-enclave keys rotate tls`: another TLS key for this boot of the enclave. */
import type { Command } from 'commander';
import { simpleCommand } from '../../../keys/simple-command.ts';

const HELP = `
No key set changes, and no session ends: new ones see the new key. Where an operator’s CA signs (\`tls.certificate: operator-ca\`), the old key stays until
the certificate of the new one is there (\`acra-enclave certificate\`). Whoever pins the key verifies the enclave again.`;

export const rotateTlsCommand = (): Command =>
  simpleCommand(
    { kind: 'rotate-tls' },
    {
      name: 'tls',
      description: 'Have the running enclave make another TLS key for this boot.',
      help: HELP,
    },
  );
