/**
 * Operations on a KMS key by what they are to a sealed master key (KMS guide, "AWS KMS permissions"). Names as policies write them.
 */

/** Give out what the key protects, or a new secret with its sealed form. All but ReEncryptFrom take a Recipient. */
export const REVEALING = [
  'kms:Decrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyPair',
  'kms:DeriveSharedSecret',
] as const;

/** Takes the sealed key to another KMS key, whose policy then decides. */
export const RE_ENCRYPTING = 'kms:ReEncryptFrom';

/** Make a sealed form of something, which an enclave cannot tell from its own: it has no memory. */
export const SEALING = [
  'kms:Encrypt',
  'kms:ReEncryptTo',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:GenerateDataKeyPairWithoutPlaintext',
] as const;

/** Hands rights on, beside the policy; a grant has no conditions on attestation. */
export const DELEGATING = 'kms:CreateGrant';

/** Decide over the key's policy, its copies (each with a policy of its own) or its material. */
export const RULING = [
  'kms:PutKeyPolicy',
  'kms:ReplicateKey',
  'kms:UpdatePrimaryRegion',
  'kms:ImportKeyMaterial',
] as const;

/** Tell of the key, and change nothing. */
export const READING = [
  'kms:DescribeKey',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
  'kms:ListKeyPolicies',
  'kms:ListResourceTags',
] as const;

/** Makes a key of imported material useless, at once. Who looks after the key has a waiting time for that (ScheduleKeyDeletion). */
export const DESTROYING = 'kms:DeleteImportedKeyMaterial';

/** Look after the key. None of them reveals or seals anything, or changes who may. */
export const ADMINISTERING = [
  'kms:CreateAlias',
  'kms:UpdateAlias',
  'kms:DeleteAlias',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateKeyDescription',
  'kms:EnableKey',
  'kms:DisableKey',
  'kms:EnableKeyRotation',
  'kms:DisableKeyRotation',
  'kms:RotateKeyOnDemand',
  'kms:RevokeGrant',
  'kms:ScheduleKeyDeletion',
  'kms:CancelKeyDeletion',
] as const;

/** Make what others take for the key's own. KMS ties neither to measurements. */
export const SIGNING = ['kms:Sign', 'kms:GenerateMac'] as const;

/**
 * An application's actions by whether KMS can demand a document for them. ReEncrypt is two permissions, of which the one that takes
 * ciphertexts away is never given: KMS knows no condition on where to.
 * @param uses in KMS's names
 */
export function usesOf(uses: readonly string[]): {
  readonly attested: readonly string[];
  readonly unattested: readonly string[];
} {
  const permissions = uses.map((action) => `kms:${action === 'ReEncrypt' ? 'ReEncryptTo' : action}`);
  const isAttested = (action: string) => (REVEALING as readonly string[]).includes(action);
  return {
    attested: permissions.filter(isAttested),
    unattested: permissions.filter((action) => !isAttested(action)),
  };
}
