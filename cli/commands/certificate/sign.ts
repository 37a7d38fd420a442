/** `acra-enclave certificate sign`: the operator of a CA signs the certificate of a TLS key that was made in an attested enclave. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { writePem } from '../../../encoding/pem.ts';
import { issueCertificate, readAuthority } from '../../../keys/tls/issue-certificate.ts';
import { describeError } from '../../../runtime/errors.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { readOptionFile } from '../../certificate/files.ts';
import { judgeRequest } from '../../certificate/judge-request.ts';
import { isUrl, readRequest } from '../../certificate/read-request.ts';
import { CliError } from '../../errors.ts';
import { collect, parseCount, parseDuration } from '../../option-values.ts';
import { bold, green, printJson, printLine, printRow, yellow } from '../../output.ts';
import { readDemands, readNonce } from '../../verify/demands.ts';

const NONCE_BYTES = 32;
const MINUTE_MS = 60_000;
const FETCHED_MAX_AGE_MS = 5 * MINUTE_MS;
/** Somebody carries the file from one machine to the other. */
const FILE_MAX_AGE_MS = 24 * 60 * MINUTE_MS;
const DEFAULT_DAYS = 7;
const MAX_DAYS = 825;

interface SignOptions {
  readonly request: string;
  readonly ca: string;
  readonly caKey: string;
  readonly measurements?: string;
  readonly require?: readonly string[];
  readonly pcr?: readonly string[];
  readonly nonce?: string;
  readonly maxAge?: number;
  readonly days: number;
  readonly trustRoot?: string;
  readonly out: string;
  readonly json?: boolean;
}

/** @throws CliError CLI_OPTION */
function nonceOf({ request, nonce }: SignOptions): Buffer | undefined {
  if (nonce === undefined) return isUrl(request) ? randomBytes(NONCE_BYTES) : undefined;
  if (!isUrl(request)) return readNonce(nonce);
  throw new CliError('CLI_OPTION', '--nonce is for files: a URL is asked with a new one');
}

/** @throws CliError CLI_OPTION */
function writeOut(file: string, pem: string): void {
  try {
    writeFileSync(resolve(file), pem);
  } catch (cause) {
    throw new CliError('CLI_OPTION', `--out: ${file} cannot be written: ${describeError(cause)}`, { cause });
  }
}

async function sign(options: SignOptions): Promise<void> {
  const { request: from, ca, caKey, days, trustRoot, out, json } = options;
  if (trustRoot !== undefined && !json) {
    printLine(yellow(`Trusts ${trustRoot} in the place of AWS: this proves nothing about a real enclave.`));
  }
  const nonce = nonceOf(options);
  const expected = await readDemands(options);
  const authority = readAuthority(ca, readOptionFile('--ca', ca), readOptionFile('--ca-key', caKey), Date.now());
  const attested = await readRequest(from, nonce ?? Buffer.alloc(0));
  const nowMs = Date.now();
  const { maxAge: maxAgeMs = isUrl(from) ? FETCHED_MAX_AGE_MS : FILE_MAX_AGE_MS } = options;
  const request = judgeRequest(attested, { expected, nonce, time: { by: 'clock', nowMs, maxAgeMs } });
  const der = issueCertificate(request, authority, { days, nowMs, random: systemRandom });
  writeOut(out, writePem('CERTIFICATE', der));
  const names = request.names.map(({ value }) => value);
  const keySha256 = request.keySha256.toString('hex');
  if (json) {
    printJson({ out, names, keySha256, days });
    return;
  }
  printRow('key (SHA-256)', keySha256);
  printRow('names', names.join(', '));
  printLine(`${green('signed')} ${bold(out)}: bring it with \`acra-enclave certificate install ${out}\``);
}

const HELP = `
Signs nothing before all of this is proven: the document leads to AWS's root (--trust-root: to another), is fresh, and shows the
measurements; the enclave states that it made its TLS key itself; the document names the key of the request; the request is signed
with it. The names are those of the measured configuration.

With a URL the enclave is asked now, with a nonce of this command. A file is for a CA that has no network: the operator of the CA
chooses a nonce (\`openssl rand -hex 32\`), on the parent instance \`acra-enclave certificate request --nonce NONCE > request.json\`
writes the file, and here --nonce names it again. Without a nonce only the age of the document is judged.

The key of the CA is read without a password; \`--ca-key <(openssl pkey -in ca.key)\` asks for one and writes it nowhere.`;

export function signCommand(): Command {
  return new Command('sign')
    .description(
      'Sign the certificate of a TLS key that an attested enclave has made (`tls.certificate: operator-ca`).',
    )
    .requiredOption('--request <url|file>', "host-proxy's attestation listener on the parent, or what it has answered")
    .requiredOption('--ca <file>', 'PEM of the certificate of the CA: `tls.ca` of the image, or one below it')
    .requiredOption('--ca-key <file>', 'PEM of its private key')
    .option('--measurements <file>', 'measurements.json of the expected image')
    .option('--require <file>', 'PEM of a public key that must have signed the measurements; several times', collect)
    .option('--pcr <index=hex>', 'what a register must show; may be given several times', collect)
    .option('--nonce <hex>', 'with a file: the nonce that it must answer')
    .option('--max-age <duration>', 'how old the document may be (default: 5m; of a file 24h)', parseDuration)
    .option('--days <count>', 'how long the certificate is valid', parseCount(1, MAX_DAYS), DEFAULT_DAYS)
    .option('--trust-root <file>', 'trust this root (PEM) and not that of AWS: for emulated enclaves')
    .requiredOption('--out <file>', 'where the certificate is written')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(sign);
}
