import t from 'tap';
import { acceptKeyPolicy, acceptRolePolicy } from '../../../emulator/kms/policies.ts';
import { ServiceError } from '../../../emulator/kms/service-error.ts';
import { roleArn } from '../../../emulator/principal.ts';

const IMAGE = 'kms:RecipientAttestation:ImageSha384';

type Json = Record<string, unknown>;

/** The error type with which the policy is refused. */
function refusal(statement: Json, accept = acceptKeyPolicy): string {
  try {
    accept(JSON.stringify({ Version: '2012-10-17', Statement: statement }));
    return 'no error';
  } catch (error) {
    if (error instanceof ServiceError) return error.type;
    throw error;
  }
}

const allow = (more: Json = {}): Json => ({
  Effect: 'Allow',
  Principal: { AWS: roleArn('enclave') },
  Action: 'kms:Decrypt',
  Resource: '*',
  ...more,
});
const when = (operator: string, key: string, value: unknown): Json => ({ Condition: { [operator]: { [key]: value } } });

t.test('rejects policies with parts that it cannot judge (MalformedPolicyDocumentException)', async (t) => {
  const malformed: Record<string, Json> = {
    'no action': allow({ Action: undefined }),
    'a service as principal': allow({ Principal: { Service: 'ec2.amazonaws.com' } }),
    'a principal with a wildcard': allow({ Principal: { AWS: 'arn:aws:iam::*:root' } }),
    'a principal that was deleted': allow({ Principal: { AWS: 'AROAEXAMPLEEXAMPLE123' } }),
    'an action of another service': allow({ Action: 's3:GetObject' }),
    'an unknown operator': allow(when('NumericEquals', IMAGE, '1')),
    'an inherited name as operator': allow(when('toString', IMAGE, '00')),
    'Null with IfExists': allow(when('NullIfExists', IMAGE, 'true')),
    'an unknown condition key': allow(when('StringEquals', 'aws:SourceIp', '10.0.0.1')),
    'a PCR that does not exist': allow(when('StringEquals', 'kms:RecipientAttestation:PCR32', '00')),
    'a PCR with a leading zero': allow(when('StringEquals', 'kms:RecipientAttestation:PCR00', '00')),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the policy language
    'a policy variable': allow(when('StringEquals', IMAGE, '${aws:username}')),
    'Null with another value': allow(when('Null', IMAGE, 'yes')),
  };
  for (const [name, statement] of Object.entries(malformed)) {
    t.equal(refusal(statement), 'MalformedPolicyDocumentException', name);
  }
  t.equal(refusal(allow(), acceptRolePolicy), 'MalformedPolicyDocumentException', 'a principal in an IAM policy');
});

t.test('accepts what it can judge', async (t) => {
  const judged: Record<string, Json> = {
    NotAction: allow({ Action: undefined, NotAction: 'kms:Decrypt' }),
    NotPrincipal: allow({ Principal: undefined, NotPrincipal: { AWS: roleArn('other') } }),
    'a set operator': allow(when('ForAnyValue:StringEquals', IMAGE, '00')),
    IfExists: allow(when('StringEqualsIfExists', IMAGE, '00')),
    'the caller': allow(when('ArnLike', 'aws:PrincipalArn', roleArn('*'))),
  };
  for (const [name, statement] of Object.entries(judged)) t.equal(refusal(statement), 'no error', name);
});
