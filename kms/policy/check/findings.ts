/** What may be found in a live policy. Codes are stable: they are never renamed. docs/kms.md shows them; a test compares the two. */

interface FindingEntry {
  /** `error`: somebody gets in who should not, or the enclave does not. `warning`: weaker than it need be, or not judged. */
  readonly severity: 'error' | 'warning';
  readonly meaning: string;
  readonly action: string;
}

const REPLACE = 'Put the policy that `acra-enclave policy print` makes in its place, or take the statement out.';
const DEMAND =
  'Add the condition to the statement, with StringEqualsIgnoreCase and the value that `policy print` shows.';

export const POLICY_FINDINGS = {
  POLICY_NOT_ENFORCED: {
    severity: 'error',
    meaning: 'The key gives out secrets without an attestation document, and no statement demands one.',
    action: REPLACE,
  },
  POLICY_BYPASS: {
    severity: 'error',
    meaning: 'Beside the statements that demand attestation there is a way that does not.',
    action:
      'Take the statement out, or the action from it. `NotAction`, wildcards, `…IfExists`, `ForAllValues:` and negated operators let in what has no document; an Allow for the account leaves it to IAM policies.',
  },
  POLICY_REENCRYPT: {
    severity: 'error',
    meaning: 'Somebody may take the sealed key to another KMS key (ReEncryptFrom), whose policy then decides.',
    action: 'Take kms:ReEncrypt* out.',
  },
  POLICY_DEBUG: {
    severity: 'error',
    meaning: 'An enclave in debug mode gets in: its registers are zero, and the parent reads its memory.',
    action: 'Take the zeros out; name the values of the image.',
  },
  POLICY_REGISTER_MISSING: {
    severity: 'error',
    meaning: 'A register that the measurements name is not demanded: any value of it gets in.',
    action: DEMAND,
  },
  POLICY_REGISTER_BROAD: {
    severity: 'error',
    meaning: 'A register is compared so loosely that other values get in (StringLike, a negated or a set operator).',
    action: DEMAND,
  },
  POLICY_UNKNOWN_IMAGE: {
    severity: 'error',
    meaning: 'Measurements get in that nobody named to this check: of an old image, or of somebody else’s.',
    action:
      'Take the values out once no enclave of that image runs; where it shall still get in, name its file with `--also`.',
  },
  POLICY_MIXED: {
    severity: 'error',
    meaning: 'Registers of one image get in together with those of another: one statement lists several of each.',
    action: 'Write one statement for each image.',
  },
  POLICY_NO_DEPLOYMENT: {
    severity: 'warning',
    meaning:
      'The parent instance is not demanded (PCR3, PCR4): the same image gets in on any instance that has the role’s credentials.',
    action: DEMAND,
  },
  POLICY_RUNTIME: {
    severity: 'warning',
    meaning: 'What the enclave committed to at boot (PCR16) is not demanded, or not exactly.',
    action: DEMAND,
  },
  POLICY_NITRO_TPM: {
    severity: 'error',
    meaning:
      'A document of a NitroTPM gets in: that is an ordinary instance with a measured boot, which its owner logs in to.',
    action: 'Take the statement out.',
  },
  POLICY_NITRO_TPM_KEY: {
    severity: 'warning',
    meaning:
      'A condition is about a NitroTPM (`NitroTPMPCR…`), another platform: no document of an enclave has such registers, and PCR4 and PCR8 mean something else there.',
    action: 'Name the registers of enclaves: `kms:RecipientAttestation:ImageSha384`, `…:PCR3`.',
  },
  POLICY_OTHER_PRINCIPAL: {
    severity: 'error',
    meaning: 'Somebody else than the role of the parent instance may use the key with the enclave’s document.',
    action: 'Name the role alone as principal.',
  },
  POLICY_ACTION_EXTRA: {
    severity: 'warning',
    meaning: 'The enclave that was named may do more with the key than it needs.',
    action: 'Take the action out of the statement.',
  },
  POLICY_CONTEXT: {
    severity: 'warning',
    meaning: 'The encryption context of enclave.yaml is not demanded.',
    action: 'Add `StringEquals` with `kms:EncryptionContext:NAME` to the statement.',
  },
  POLICY_GENERATION: {
    severity: 'error',
    meaning:
      'A key set of another generation than those that were named opens: whoever keeps the sets may bring an older one.',
    action:
      'Add what `policy print --generation` makes: `kms:EncryptionContext:acra-enclave-generation` in the Allow for Decrypt, and the Deny for all others.',
  },
  POLICY_GENERATION_FREE: {
    severity: 'error',
    meaning:
      'enclave.yaml relies on the key policy to keep older key sets out (`keys.pin: policy`), and the policy demands no generation.',
    action: 'Put what `policy print --generation N` makes, with the generation that `keys status` shows.',
  },
  POLICY_GENERATIONS: {
    severity: 'warning',
    meaning: 'More than one generation opens, as while keys change: the older key set can still be brought.',
    action: 'Put the policy with the newer generation alone, once the enclave has taken its key set.',
  },
  POLICY_DATA_KEY: {
    severity: 'error',
    meaning:
      'Somebody may have KMS make a data key without an attestation document, where keys are born in the enclave: he knows it, and can put a master key of his own under it.',
    action: 'Take kms:GenerateDataKey* out of the statement, or demand the enclave’s document.',
  },
  POLICY_SEALING: {
    severity: 'error',
    meaning:
      'Somebody may seal a key of his own (Encrypt, ReEncryptTo, GenerateDataKeyWithoutPlaintext). An enclave has no memory, and cannot tell it from its own.',
    action: 'Leave it to administrators; where keys are born in the enclave, to nobody.',
  },
  POLICY_SIGNING: {
    severity: 'error',
    meaning: 'Somebody may sign or make codes with the key (Sign, GenerateMac) whom nobody has named for it.',
    action: 'Leave it to the role of the enclave, and only where `kmsProxy.allow` of enclave.yaml names it.',
  },
  POLICY_GRANT_POSSIBLE: {
    severity: 'error',
    meaning: 'Somebody may create grants, which hand on rights beside the policy and know no attestation.',
    action: 'Take kms:CreateGrant out, and deny it to everybody; kms:GrantIsForAWSResource is no help.',
  },
  POLICY_RULED_BY_OTHERS: {
    severity: 'error',
    meaning:
      'Somebody who is not named as policy administrator may change the policy, replicate the key under another policy, or import its material.',
    action: 'Take the action out, or name him with `--policy-administrator`.',
  },
  POLICY_ADMINISTERED_BY_OTHERS: {
    severity: 'warning',
    meaning: 'Somebody who is not named as administrator may look after the key, or delete it.',
    action: 'Take the action out, or name him with `--administrator`.',
  },
  POLICY_DENY_MISSING: {
    severity: 'warning',
    meaning:
      'Nothing denies what is not allowed today: a grant, an IAM policy where the account decides, or the next statement would open it.',
    action: 'Add the Deny statements that `policy print` makes.',
  },
  POLICY_ENCLAVE_REFUSED: {
    severity: 'error',
    meaning: 'The enclave that was named does not get in: values, role, context or action do not match.',
    action:
      'Compare the statement with what `policy print` makes of the image’s measurements.json. Where it demands a generation, name that with `--generation`.',
  },
  POLICY_REGISTER_EXTRA: {
    severity: 'warning',
    meaning: 'A register is demanded that the measurements, as they were named, do not tell.',
    action: 'Name it too: `--bind signed`, `--role-arn`, `--instance-id`, or measurements with PCR16.',
  },
  POLICY_ADMINISTRATOR_REFUSED: {
    severity: 'warning',
    meaning: 'An administrator who was named may not do what is his to do.',
    action: 'Compare with what `policy print` makes, or leave him out.',
  },
  POLICY_VALUE_MALFORMED: {
    severity: 'warning',
    meaning: 'A register is compared with what can be no value of one (96 hexadecimal digits): it never matches.',
    action: 'Write the value as measurements.json has it.',
  },
  POLICY_UNJUDGED: {
    severity: 'warning',
    meaning:
      'A condition, principal or resource is not judged here: whether the statement applies is not known. It is taken for whatever helps an attacker.',
    action: 'Look at it yourself; or take it out, where attestation says enough.',
  },
  POLICY_TOO_MANY_VALUES: {
    severity: 'warning',
    meaning: 'So many measurements are named that their combinations were not all tried.',
    action: 'Take old measurements out.',
  },
  GRANT_LIVE: {
    severity: 'error',
    meaning: 'A grant gives out rights on the key, and nothing in the policy denies them.',
    action: 'Revoke it (`aws kms revoke-grant`), and add the Deny statements that `policy print` makes.',
  },
  GRANT_DENIED: {
    severity: 'warning',
    meaning:
      'There is a grant on the key that the policy’s Deny statements make useless without the enclave’s document.',
    action: 'Revoke it (`aws kms revoke-grant`): nothing needs it.',
  },
  IAM_RANDOM_MISSING: {
    severity: 'warning',
    meaning: 'The role’s IAM policies do not allow kms:GenerateRandom, which an enclave asks for at boot.',
    action: 'Add what `policy print --iam` makes; or set `entropy.kms` to `optional` or `off`.',
  },
  IAM_TOO_WIDE: {
    severity: 'warning',
    meaning:
      'The role’s IAM policies allow more on the key than an enclave needs. The key policy decides; where it leaves something to the account, they count.',
    action: 'Allow kms:GenerateRandom, and nothing else of KMS but for a key of another account.',
  },
} as const satisfies Readonly<Record<string, FindingEntry>>;

export type PolicyFindingCode = keyof typeof POLICY_FINDINGS;

export interface PolicyFinding {
  readonly code: PolicyFindingCode;
  readonly severity: 'error' | 'warning';
  /** Of the live policy: number and Sid; null where the policy as a whole, a grant or an IAM policy is meant. */
  readonly statement: string | null;
  readonly found: string;
  readonly action: string;
}

export function makeFinding(code: PolicyFindingCode, statement: string | null, found: string): PolicyFinding {
  const { severity, action } = POLICY_FINDINGS[code];
  return { code, severity, statement, found, action };
}
