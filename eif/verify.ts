/**
 * Recomputes everything that an image claims and compares it with what is expected. Whatever breaks the format is thrown by
 * the reader; what an intact image can still get wrong comes back as a list of checks.
 */
import { describeError } from '../runtime/errors.ts';
import type { EifErrorCode } from './errors.ts';
import { EifError } from './errors.ts';
import type { ExpectedPcrs, MeasuredPcr } from './expected-pcrs.ts';
import { parseMetadata } from './format/metadata.ts';
import { type EifImage, readEif } from './format/reader.ts';
import { measureCertificate } from './measure.ts';
import { checkValidity, daysLeft } from './sign/certificate.ts';
import { subjectText } from './sign/certificate-name.ts';
import { type VerifiedSignature, verifySignatureSection } from './sign/signature.ts';

interface ImageCheck {
  readonly name: 'metadata' | 'signature' | 'certificate' | MeasuredPcr;
  readonly code: EifErrorCode | undefined;
  /** For people: what was found, or what is wrong. */
  readonly detail: string;
}

export interface ImageReport {
  readonly image: EifImage;
  /** Lower-case hexadecimal. PCR8 is all zero when the image is unsigned. */
  readonly pcrs: Readonly<Record<MeasuredPcr, string>>;
  readonly signature: VerifiedSignature | undefined;
  /** Days until the first certificate expires; undefined when the image is unsigned or its signature invalid. */
  readonly daysLeft: number | undefined;
  readonly checks: readonly ImageCheck[];
  /** No check has a code. */
  readonly isValid: boolean;
}

const UNSIGNED_PCR8 = '0'.repeat(96);

/**
 * An unsigned image is valid unless PCR8 is among the expected values.
 * @param nowMs milliseconds since the epoch, for the validity of certificates
 * @throws EifError those of readEif
 */
export async function verifyImage(path: string, nowMs: number, expected: ExpectedPcrs = {}): Promise<ImageReport> {
  const image = await readEif(path);
  const signature = attempt('signature', () => verifyOwnSignature(image), describeSignature);
  const verified = signature.result;
  const pcrs = measuredPcrs(image, verified);
  const checks: ImageCheck[] = [
    attempt(
      'metadata',
      () => parseMetadata(image.metadata),
      ({ ImageName, ImageVersion }) => `${ImageName} ${ImageVersion}`,
    ).check,
    signature.check,
  ];
  const left = verified === undefined ? undefined : daysLeft(verified.chain, nowMs);
  if (verified !== undefined) {
    checks.push(
      attempt(
        'certificate',
        () => checkValidity(verified.chain, nowMs),
        () => `${left} days left`,
      ).check,
    );
  }
  checks.push(...comparePcrs(pcrs, expected));
  const isValid = checks.every(({ code }) => code === undefined);
  return { image, pcrs, signature: verified, daysLeft: left, checks, isValid };
}

function verifyOwnSignature({ signature, measurements }: EifImage): VerifiedSignature | undefined {
  return signature === undefined ? undefined : verifySignatureSection(signature, measurements.pcr0);
}

function describeSignature(signature: VerifiedSignature | undefined): string {
  if (signature === undefined) return 'unsigned';
  return `${signature.algorithm.name} by ${subjectText(signature.chain.signer)}`;
}

function measuredPcrs({ measurements }: EifImage, signature: VerifiedSignature | undefined): ImageReport['pcrs'] {
  return {
    PCR0: measurements.pcr0.toString('hex'),
    PCR1: measurements.pcr1.toString('hex'),
    PCR2: measurements.pcr2.toString('hex'),
    PCR8: signature === undefined ? UNSIGNED_PCR8 : measureCertificate(signature.chain.signer.raw).toString('hex'),
  };
}

function comparePcrs(pcrs: ImageReport['pcrs'], expected: ExpectedPcrs): ImageCheck[] {
  return Object.entries(expected).map(([key, value]) => {
    const name = key as MeasuredPcr;
    if (pcrs[name] === value) return { name, code: undefined, detail: 'as expected' };
    return { name, code: 'EIF_PCR_MISMATCH', detail: `found: ${pcrs[name]}; expected: ${value}` };
  });
}

interface Attempt<Result> {
  readonly result: Result | undefined;
  readonly check: ImageCheck;
}

/** Runs one check; a coded refusal becomes part of the report, any other error is a defect and passes through. */
function attempt<Result>(
  name: ImageCheck['name'],
  run: () => Result,
  describe: (result: Result) => string,
): Attempt<Result> {
  try {
    const result = run();
    return { result, check: { name, code: undefined, detail: describe(result) } };
  } catch (error) {
    if (!(error instanceof EifError)) throw error;
    return { result: undefined, check: { name, code: error.code, detail: describeError(error) } };
  }
}
