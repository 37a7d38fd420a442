/** `acra-enclave eif sign`: signs an image in one step or in two. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { WrittenEif } from '../../../eif/format/writer.ts';
import { readSmallFile } from '../../../eif/input-file.ts';
import { measureCertificate } from '../../../eif/measure.ts';
import { readCertificateChain } from '../../../eif/sign/certificate.ts';
import { readSigningKey } from '../../../eif/sign/key.ts';
import { type SignRequest, signImage } from '../../../eif/sign/sign.ts';
import { attachSignature, printDigest } from '../../../eif/sign/two-step.ts';
import { putImage } from '../../eif/put-image.ts';
import { CliError } from '../../errors.ts';
import { green, printJson, printLine } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface SignOptions {
  readonly certificate: string;
  readonly key?: string;
  readonly printDigest?: boolean;
  readonly attachSignature?: string;
  readonly output?: string;
  readonly json?: boolean;
}

/** A DER signature on P-521 has at most 141 bytes. */
const MAX_SIGNATURE_FILE_BYTES = 4096;

async function sign(image: string, options: SignOptions): Promise<void> {
  const { key, attachSignature: signatureFile } = options;
  const ways = [key !== undefined, options.printDigest === true, signatureFile !== undefined].filter(Boolean).length;
  if (ways !== 1) {
    throw new CliError('CLI_OPTION', 'say how to sign', {
      found: `${ways} of the options`,
      allowed: 'exactly one of --key, --print-digest, --attach-signature',
    });
  }
  const chain = await readCertificateChain(resolve(options.certificate));
  const input = resolve(image);
  const request = { input, output: resolve(options.output ?? image), chain, nowMs: Date.now() };
  if (options.printDigest) await showDigest(request, options);
  else await untilStopped((signal) => writeSigned({ ...request, signal }, options));
}

async function showDigest({ input, chain, nowMs }: SignRequest, { json }: SignOptions): Promise<void> {
  const { algorithm, pcr0, toBeSigned, digest } = await printDigest(input, chain, nowMs);
  const values = {
    algorithm: algorithm.name,
    hash: algorithm.hash,
    pcr0: pcr0.toString('hex'),
    toBeSigned: toBeSigned.toString('base64'),
    digest: digest.toString('base64'),
  };
  if (json) printJson(values);
  else for (const [name, value] of Object.entries(values)) printLine(`${name}: ${value}`);
}

async function writeSigned(request: SignRequest, options: SignOptions): Promise<void> {
  const { written, remeasured } = await putImage(request.output, (output) => signInto({ ...request, output }, options));
  const PCR0 = written.measurements.pcr0.toString('hex');
  const PCR8 = measureCertificate(request.chain.signer.raw).toString('hex');
  if (options.json) {
    printJson({ file: request.output, bytes: written.fileSize, PCR0, PCR8 });
    return;
  }
  printLine(`${green('signed')} ${request.output}`);
  printLine(`PCR8   ${PCR8}`);
  if (remeasured !== undefined) printLine(`${green('updated')} ${remeasured}`);
}

async function signInto(request: SignRequest, { key, attachSignature: file }: SignOptions): Promise<WrittenEif> {
  if (key !== undefined) return signImage(request, await readSigningKey(resolve(key)));
  return attachSignature(request, await readSmallFile(resolve(file ?? ''), MAX_SIGNATURE_FILE_BYTES));
}

export function signCommand(): Command {
  return new Command('sign')
    .description('Sign an image: with a key file, or in two steps with a key that never leaves its HSM or KMS.')
    .argument('<image>')
    .requiredOption('-c, --certificate <file>', 'PEM of the signing certificate, then its issuers')
    .option('-k, --key <file>', 'PEM of its private key')
    .option('--print-digest', 'print what the key has to sign, and write nothing')
    .option('--attach-signature <file>', 'the signature that came back: raw r and s, or DER')
    .option('-o, --output <file>', 'the signed image; default: the image itself')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nPCR8 of the signed image is printed, and written to the measurements.json beside it that names it.',
    )
    .action(sign);
}
