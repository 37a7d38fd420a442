/**
 * Signs with a key that never leaves its HSM or KMS: first print what is to be signed, then attach what came back. The same
 * image, certificate and signature give the same file as signing with a key at hand does.
 */
import { createHash } from 'node:crypto';
import { ecdsaRawFromDer } from '../../encoding/asn1/ecdsa-signature.ts';
import { type CoseAlgorithm, coseToBeSigned } from '../../encoding/cose-sign1.ts';
import { EifError } from '../errors.ts';
import { readEif } from '../format/reader.ts';
import { encodeSignedRegister } from '../format/signature.ts';
import type { WrittenEif } from '../format/writer.ts';
import { algorithmOfKey } from './algorithm.ts';
import { type CertificateChain, checkValidity } from './certificate.ts';
import { rewriteSigned, type SignRequest } from './sign.ts';
import { isSignedBy, sectionOf } from './signature.ts';

interface SigningDigest {
  readonly algorithm: CoseAlgorithm;
  /** 48 bytes. */
  readonly pcr0: Buffer;
  /** For devices that hash by themselves. */
  readonly toBeSigned: Buffer;
  /** The algorithm's hash of toBeSigned, for devices that sign digests (KMS: MessageType DIGEST). */
  readonly digest: Buffer;
}

/** @throws EifError EIF_KEY_CURVE, EIF_CERTIFICATE_EXPIRED, EIF_CERTIFICATE_NOT_YET_VALID, and those of readEif */
export async function printDigest(input: string, chain: CertificateChain, nowMs: number): Promise<SigningDigest> {
  checkValidity(chain, nowMs);
  const { measurements } = await readEif(input);
  return digestOf(measurements.pcr0, chain);
}

/**
 * @param signature raw r ‖ s, or DER ECDSA-Sig-Value
 * @throws EifError EIF_SIGNATURE_ENCODING, EIF_SIGNATURE_INVALID, and those of printDigest and writeEif
 */
export async function attachSignature(request: SignRequest, signature: Buffer): Promise<WrittenEif> {
  checkValidity(request.chain, request.nowMs);
  const image = await readEif(request.input, request.signal);
  const expected = digestOf(image.measurements.pcr0, request.chain);
  const raw = toValidRaw(signature, expected, request.chain);
  return rewriteSigned(image, request, sectionOf(expected.pcr0, expected.algorithm, raw, request.chain));
}

function digestOf(pcr0: Buffer, chain: CertificateChain): SigningDigest {
  const algorithm = algorithmOfKey(chain.signer.publicKey);
  const toBeSigned = coseToBeSigned(algorithm, encodeSignedRegister(pcr0));
  return { algorithm, pcr0, toBeSigned, digest: createHash(algorithm.hash).update(toBeSigned).digest() };
}

/** Bytes of the raw length may be DER by chance, so both readings are tried and only the one that verifies is taken. */
function toValidRaw(signature: Buffer, { algorithm, pcr0 }: SigningDigest, chain: CertificateChain): Buffer {
  const asRaw = signature.length === algorithm.signatureBytes ? signature : undefined;
  const readings = [asRaw, ecdsaRawFromDer(signature, algorithm.signatureBytes)].filter(
    (reading) => reading !== undefined,
  );
  if (readings.length === 0) {
    throw new EifError('EIF_SIGNATURE_ENCODING', 'the signature is neither raw nor DER', {
      found: `${signature.length} bytes`,
      allowed: `${algorithm.signatureBytes} bytes of r and s, or DER`,
    });
  }
  const payload = encodeSignedRegister(pcr0);
  const valid = readings.find((reading) => isSignedBy(chain, { algorithm, payload, signature: reading }));
  if (valid !== undefined) return valid;
  throw new EifError('EIF_SIGNATURE_INVALID', 'the signature does not sign this image under this certificate');
}
