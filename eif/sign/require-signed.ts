/**
 * Reads a signed image again, as whoever launches it will: the signature must be in the file, verify, and be of the certificate
 * whose PCR8 is about to be told to a key policy. A signer that says nothing when it did nothing costs a deployment
 * (aws-nitro-enclaves-cli, issue 756: an unsigned image, exit code 0).
 */
import { EifError } from '../errors.ts';
import { readEif } from '../format/reader.ts';
import { measureCertificate } from '../measure.ts';
import type { CertificateChain } from './certificate.ts';
import { verifySignatureSection } from './signature.ts';

/** @throws EifError EIF_SIGNATURE_MISSING, EIF_PCR_MISMATCH, and those of readEif and verifySignatureSection */
export async function requireSigned(path: string, { signer }: CertificateChain, signal?: AbortSignal): Promise<void> {
  const { signature, measurements } = await readEif(path, signal);
  if (signature === undefined) throw new EifError('EIF_SIGNATURE_MISSING', 'the image that was written is not signed');
  const { chain } = verifySignatureSection(signature, measurements.pcr0);
  const [found, allowed] = [chain.signer, signer].map(({ raw }) => measureCertificate(raw).toString('hex'));
  if (found === allowed) return;
  throw new EifError('EIF_PCR_MISMATCH', 'the image that was written has the signature of another certificate', {
    found: `PCR8 ${found}`,
    allowed: `PCR8 ${allowed}`,
  });
}
