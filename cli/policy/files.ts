/** Files of the policy commands: policies and grants as AWS's commands print them, and attestation documents. */
import { readSmallFile } from '../../eif/input-file.ts';
import { policyTextOf } from '../../kms/policy/live-document.ts';

/** A key policy has 32 KiB, and is longer as a string in JSON. */
const MAX_POLICY_BYTES = 131_072;
const MAX_GRANTS_BYTES = 8_388_608;
const MAX_DOCUMENT_BYTES = 65_536;
/** COSE_Sign1 begins with an array of four, tagged or not (RFC 9052, 4.2). */
const COSE_STARTS = [0x84, 0xd2];

/** @throws EifError EIF_FILE_READ; KmsPolicyError KMS_POLICY_SYNTAX */
export async function readPolicyText(path: string): Promise<string> {
  return policyTextOf((await readSmallFile(path, MAX_POLICY_BYTES)).toString('utf8'));
}

/** @throws EifError EIF_FILE_READ */
export async function readGrantsText(path: string): Promise<string> {
  return (await readSmallFile(path, MAX_GRANTS_BYTES)).toString('utf8');
}

/** An attestation document, as it is or in base64. @throws EifError EIF_FILE_READ */
export async function readDocumentBytes(path: string): Promise<Buffer> {
  const bytes = await readSmallFile(path, MAX_DOCUMENT_BYTES);
  return COSE_STARTS.includes(bytes[0] ?? 0) ? bytes : Buffer.from(bytes.toString('latin1').trim(), 'base64');
}
