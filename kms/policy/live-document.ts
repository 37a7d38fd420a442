/**
 * Takes a policy document out of what AWS's commands print: `aws kms get-key-policy` puts it as a string into "Policy", `aws iam
 * get-role-policy` as an object into "PolicyDocument", `aws iam get-policy-version` into "PolicyVersion.Document".
 */
import { parseUniqueJson } from '../../encoding/unique-json.ts';
import { KmsPolicyError } from './errors.ts';

const isRecord = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

function unwrap(json: unknown): unknown {
  if (!isRecord(json)) return json;
  // A document that hides another one beside itself goes on as it is, and is refused.
  if ('Statement' in json) return json;
  if (isRecord(json['PolicyVersion'])) return json['PolicyVersion']['Document'];
  return json['Policy'] ?? json['PolicyDocument'] ?? json;
}

/** @returns the text of the document. @throws KmsPolicyError KMS_POLICY_SYNTAX */
export function policyTextOf(text: string): string {
  let json: unknown;
  try {
    json = parseUniqueJson(text);
  } catch (cause) {
    throw new KmsPolicyError('KMS_POLICY_SYNTAX', 'the policy is not JSON that all readers understand alike', {
      cause,
    });
  }
  const document = unwrap(json);
  return typeof document === 'string' ? document : JSON.stringify(document);
}
