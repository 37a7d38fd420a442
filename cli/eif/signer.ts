/** Who signs an image that is built, checked before anything else is done: a wrong key must not cost a build. */
import { resolve } from 'node:path';
import { checkSigner, type ImageSigner } from '../../eif/build.ts';
import { readCertificateChain } from '../../eif/sign/certificate.ts';
import { readSigningKey } from '../../eif/sign/key.ts';
import { CliError } from '../errors.ts';

export interface SignerOptions {
  readonly signingKey?: string;
  readonly signingCertificate?: string;
}

/** @throws CliError CLI_OPTION; EifError for what is wrong with key or certificate */
export async function signerOf({ signingKey, signingCertificate }: SignerOptions): Promise<ImageSigner | 'unsigned'> {
  if (signingKey === undefined && signingCertificate === undefined) return 'unsigned';
  if (signingKey === undefined || signingCertificate === undefined) {
    throw new CliError('CLI_OPTION', 'signing needs both a key and its certificate', {
      allowed: '--signing-key and --signing-certificate together',
    });
  }
  const chain = await readCertificateChain(resolve(signingCertificate));
  const signer = { key: await readSigningKey(resolve(signingKey)), chain, nowMs: Date.now() };
  checkSigner(signer);
  return signer;
}
