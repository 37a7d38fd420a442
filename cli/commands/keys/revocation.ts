/** `acra-enclave keys revocation`: what enclave.yaml calls a certificate that is to be refused, to be copied into `ingress.revoked`. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { revocationNames } from '../../../config/revocation-names.ts';
import { KeyError } from '../../../keys/errors.ts';
import { printJson, printLine } from '../../output.ts';

interface RevocationOptions {
  readonly by: 'key' | 'serial';
  readonly json?: boolean;
}

function readCertificate(file: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(file));
  } catch (cause) {
    throw new KeyError('CERTIFICATE_FILE_READ', `cannot read a certificate from ${file}`, { cause });
  }
}

function describe(file: string) {
  const certificate = readCertificate(file);
  const subject = (certificate.subject ?? '').replaceAll('\n', ', ');
  return { ...revocationNames(certificate), subject, ends: certificate.validToDate.toISOString() };
}

function revocation(files: readonly string[], { by, json }: RevocationOptions): void {
  const certificates = files.map(describe);
  if (json) printJson({ certificates });
  // The subject is the certificate's own word: between quotes it cannot end the comment.
  else
    for (const { subject, ends, ...names } of certificates)
      printLine(`- ${by}: '${names[by]}' # ${JSON.stringify(subject)}, ends ${ends}`);
}

const HELP = `
Prints an entry for each certificate, to be put under \`ingress.revoked\` of enclave.yaml. A key stays refused in every certificate that is
ever issued for it; a serial number is one certificate, of whichever issuer. The certificate of an intermediate CA refuses all that it has issued.`;

export function revocationCommand(): Command {
  return new Command('revocation')
    .description('Print what refuses these certificates in enclave.yaml.')
    .argument('<files...>', 'certificates of clients, or of their issuers')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .addOption(new Option('--by <name>', 'what to call them by').choices(['key', 'serial']).default('key'))
    .action(revocation);
}
