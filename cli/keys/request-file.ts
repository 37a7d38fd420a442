/** Requests on their way from one operator to the next: a DSSE envelope as JSON. Nothing in it is a secret that could be read. */
import { resolve } from 'node:path';
import { type Envelope, encodeEnvelope, signatureState } from '../../attestation/published/envelope.ts';
import type { VerifyingKey } from '../../attestation/published/keys.ts';
import { writeOutputFile } from '../../eif/output-file.ts';
import { readKeyRequest, type SignedKeyRequest } from '../../keys/requests/key-request.ts';
import { readOptionFile } from '../certificate/files.ts';

/** Signed or not yet. @throws CliError CLI_OPTION; KeyError KEY_REQUEST_INVALID */
export const readRequestFile = (file: string): SignedKeyRequest =>
  readKeyRequest(readOptionFile('the request', file), 0);

/** @throws EifError EIF_FILE_WRITE */
export async function writeRequestFile(file: string, envelope: Envelope): Promise<void> {
  const bytes = Buffer.from(encodeEnvelope(envelope));
  await writeOutputFile(resolve(file), (output) => output.write(bytes, 0));
}

/** Names of the operators whose signatures verify, and of those who have not signed. */
export function approvalsOf(envelope: Envelope, operators: readonly VerifyingKey[]) {
  const hasSigned = (operator: VerifyingKey) => signatureState(envelope, operator) === 'signed';
  return {
    signed: operators.filter(hasSigned).map(({ name }) => name),
    missing: operators.filter((each) => !hasSigned(each)).map(({ name }) => name),
  };
}

/** `signed by alice; 1 of 2 more of bob, carol must sign` */
export function describeApprovals({ signed, missing }: ReturnType<typeof approvalsOf>, approvals: number): string {
  const by = signed.length === 0 ? 'signed by nobody yet' : `signed by ${signed.join(', ')}`;
  const more = approvals - signed.length;
  return more <= 0 ? `${by}: enough` : `${by}; ${more} more of ${missing.join(', ')} must sign`;
}
