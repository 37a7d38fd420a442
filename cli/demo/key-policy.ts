/**
 * The KMS key policy that ties the master key to measurements: who may encrypt, and which enclave may decrypt. And the IAM policy
 * of the instance's role, for the one question to KMS that concerns no key.
 */
import type { PcrIndex } from '../../wire/brands.ts';

export interface KeyPolicyOptions {
  /** May administer and encrypt, never decrypt. */
  readonly administratorArn: string;
  /** The instance's role, under which the enclave asks. */
  readonly roleArn: string;
  readonly pcrs: ReadonlyMap<PcrIndex, Buffer>;
}

/** ImageSha384 is PCR0; the others are named by their number (nitro-formats 3.7). */
export function attestationConditions(pcrs: ReadonlyMap<PcrIndex, Buffer>): Record<string, string> {
  const conditions: Record<string, string> = {};
  for (const [index, value] of pcrs) {
    const name = index === 0 ? 'ImageSha384' : `PCR${index}`;
    conditions[`kms:RecipientAttestation:${name}`] = value.toString('hex');
  }
  return conditions;
}

export function keyPolicy(options: KeyPolicyOptions): object {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'AdministratorsEncryptButNeverDecrypt',
        Effect: 'Allow',
        Principal: { AWS: options.administratorArn },
        Action: ['kms:Encrypt', 'kms:DescribeKey', 'kms:PutKeyPolicy', 'kms:GetKeyPolicy'],
        Resource: '*',
      },
      {
        Sid: 'OnlyTheMeasuredEnclaveDecrypts',
        Effect: 'Allow',
        Principal: { AWS: options.roleArn },
        Action: 'kms:Decrypt',
        Resource: '*',
        Condition: { StringEqualsIgnoreCase: attestationConditions(options.pcrs) },
      },
    ],
  };
}

/**
 * GenerateRandom has no key, so no key policy allows it, and its resource is `*`. It needs no condition: random bytes are no
 * secret of the account, and each caller gets others.
 */
export function rolePolicy(): object {
  return {
    Version: '2012-10-17',
    Statement: [{ Sid: 'RandomnessForEnclaves', Effect: 'Allow', Action: 'kms:GenerateRandom', Resource: '*' }],
  };
}
