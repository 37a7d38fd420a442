/** What a policy that is printed means for those who put it, in words: nobody should learn it from a denied boot. */
import { usesOf } from '../../kms/policy/actions.ts';
import type { Registers } from '../../kms/policy/language/request-context.ts';
import type { PolicyWish } from '../../kms/policy/wish.ts';
import type { Wished } from './wish-options.ts';

export const ROLLBACK_NOT_EXCLUDED =
  'Rollback is not excluded: no generation is demanded, and whoever keeps the key sets may bring any that there ever was. Name the one that opens with --generation (`keys status` shows it).';

/** They tell nothing that is not for everybody. */
const HARMLESS: ReadonlySet<string> = new Set(['kms:DescribeKey', 'kms:GetPublicKey', 'kms:Verify']);

const nameOf = (registers: Registers) =>
  [...registers].map(([index, value]) => `PCR${index} ${value.toString('hex').slice(0, 12)}…`).join(', ');

function administration({ administrators, policyAdministrators }: PolicyWish): string[] {
  return [
    ...(administrators.length > 0
      ? []
      : [
          'Nobody looks after the key: name people or roles with --administrator, or nobody can disable it or read its policy.',
        ]),
    policyAdministrators.length > 0
      ? `Whoever may put another policy can let in another image: ${policyAdministrators.join(', ')}. Keep that behind several people, and watch PutKeyPolicy in CloudTrail. KMS takes this policy only from one of them, or with --bypass-policy-lockout-safety-check.`
      : 'Nobody may put another policy, for the next image either: KMS takes it only with --bypass-policy-lockout-safety-check, and AWS alone can undo it. Name somebody with --policy-administrator to be able to roll over.',
  ];
}

function binding({ measurements: [first = new Map()] }: PolicyWish): string[] {
  const indexes: readonly number[] = [...first.keys()];
  return [
    ...(indexes.includes(4)
      ? [
          'PCR4 binds to one instance: when it is replaced, or another takes its load, no enclave there decrypts until the policy names that one.',
        ]
      : []),
    ...(indexes.includes(0)
      ? []
      : [
          'PCR1, PCR2 and PCR8 say what was built and who signed it; whoever has the signing key can sign again, and the name and metadata of an image may differ.',
        ]),
    ...(indexes.includes(16)
      ? ['PCR16 is what the enclave commits to at boot: another enclave.yaml needs another policy.']
      : []),
  ];
}

function rollOver({ measurements }: PolicyWish, replaced: readonly Registers[]): string[] {
  return [
    ...(measurements.length > 1
      ? [
          `${measurements.length} images may decrypt. Take the old one out once none of it runs: an old image has the faults that the new one mends.`,
        ]
      : []),
    ...replaced.map(
      (registers) =>
        `No longer in the policy: ${nameOf(registers)}. Enclaves of that image that run stop in order when they ask KMS for the key next (docs/lease.md); none of them boots any more, on any instance. Put this only when all run the new one. There is no way back but to put the old measurements in again.`,
    ),
  ];
}

/** Of key sets that are born in an enclave. */
function generations(
  { generations: [first, second] = [], keysBornInEnclave }: PolicyWish,
  isRollbackOpen: boolean,
): string[] {
  if (!keysBornInEnclave) return [];
  const sealing =
    '`keys new`, which seals with kms:Encrypt, is refused under this policy: the enclave makes its keys itself (`keys ceremony`).';
  if (first === undefined) return isRollbackOpen ? [sealing, ROLLBACK_NOT_EXCLUDED] : [sealing];
  if (second === undefined) {
    return [
      sealing,
      `Key sets of generation ${first} open, and no others: before the enclave is to take the next one, name both (--generation ${first} --generation ${first + 1}).`,
    ];
  }
  const [older, newer] = [Math.min(first, second), Math.max(first, second)];
  return [
    sealing,
    `Key sets of generation ${older} open beside those of ${newer}. Once the enclave has taken the newer one, name that alone (--generation ${newer}): until then the older one can be brought again.`,
  ];
}

/** Of an application's key: what KMS cannot tie to measurements. */
function unattested({ uses = [], roleArn }: PolicyWish): string[] {
  const without = usesOf(uses).unattested.filter((action) => !HARMLESS.has(action));
  const reEncrypts = uses.includes('ReEncrypt');
  return [
    ...(without.length === 0
      ? []
      : [
          `KMS demands no attestation for ${without.join(', ')}: whoever has ${roleArn}, the parent instance too, may do that with the key outside the enclave.`,
        ]),
    ...(reEncrypts
      ? [
          'kms:ReEncryptFrom is denied: whoever has the role could take all that is under the key to a key of his own. Let the application decrypt and encrypt in its place; or take the action out of the Deny and allow it to the role, if that is what the key is for.',
        ]
      : []),
  ];
}

/** @param replaced measurements that are left out */
export function notesOn(
  { wish, isRollbackOpen }: Pick<Wished, 'wish' | 'isRollbackOpen'>,
  replaced: readonly Registers[],
): readonly string[] {
  const context =
    Object.keys(wish.encryptionContext).length > 0 || wish.uses !== undefined
      ? []
      : ['No encryption context is demanded: name the measured folder with --enclave.'];
  return [
    ...rollOver(wish, replaced),
    ...binding(wish),
    ...administration(wish),
    ...generations(wish, isRollbackOpen),
    ...unattested(wish),
    ...context,
  ];
}
