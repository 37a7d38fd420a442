/** `acra-enclave keys client-name`: what enclave.yaml calls a client, to be copied into `database.users`. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { CertificateIdentifier } from '../../../acra/client-id.ts';
import { clientNameFromCertificate } from '../../../acra/client-id.ts';
import { KeyError } from '../../../keys/errors.ts';
import { printJson, printLine } from '../../output.ts';

interface ClientNameOptions {
  readonly from: CertificateIdentifier;
  readonly json?: boolean;
}

function readCertificate(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new KeyError('CERTIFICATE_FILE_READ', `cannot read ${file}`, { cause });
  }
}

function clientName(files: readonly string[], { from, json }: ClientNameOptions): void {
  const names = files.map((file) => clientNameFromCertificate(readCertificate(file), from));
  if (json) printJson({ names });
  else for (const name of names) printLine(name);
}

const HELP = `
Prints a line for each certificate, to be put between quotes under \`clients\` of a user in enclave.yaml. The subject is written as
acra-server takes it from the certificate: in its own order, whatever order other programs print it in.`;

export function clientNameCommand(): Command {
  const from = new Option('--from <part>', 'what `acra.clientIdFrom` says')
    .choices(['distinguished_name', 'serial_number'])
    .default('distinguished_name');
  return new Command('client-name')
    .description('Print what enclave.yaml calls the clients of these certificates.')
    .argument('<files...>', 'certificates of clients')
    .addOption(from)
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(clientName);
}
