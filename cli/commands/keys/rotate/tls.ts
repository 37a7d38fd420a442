/** `acra-enclave keys rotate tls`: another TLS key for this boot of the enclave. */
import { Command } from 'commander';
import { type RequestOptions, withRequestOptions } from '../../../keys/enclave-options.ts';
import { runSimpleChange } from '../../../keys/run-change.ts';

const HELP = `
No key set changes, and no session ends: new ones see the new key. Where an operator’s CA signs (\`tls.certificate: operator-ca\`), the old key stays until
the certificate of the new one is there (\`acra-enclave certificate\`). Whoever pins the key verifies the enclave again.`;

export function rotateTlsCommand(): Command {
  const command = new Command('tls')
    .description('Have the running enclave make another TLS key for this boot.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder of the enclave');
  return withRequestOptions(command)
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action((options: RequestOptions) => runSimpleChange(options, { kind: 'rotate-tls' }));
}
