/** What a key policy shall say: which enclaves may use the key, for whom, and who looks after it. */
import { isZeroPcr } from '../../attestation/pcr.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import { KmsPolicyError } from './errors.ts';
import { attestationKey, type Registers } from './language/request-context.ts';

export interface PolicyWish {
  /** Of the parent instance: the enclave asks in its name. */
  readonly roleArn: string;
  /** Registers that an enclave must show; several while one image takes the place of another. All name the same registers. */
  readonly measurements: readonly Registers[];
  /** Look after the key, and seal master keys unless these are born in the enclave; they never decrypt. */
  readonly administrators: readonly string[];
  /** May put another policy in this one's place. None: nobody can, AWS's support apart. */
  readonly policyAdministrators: readonly string[];
  /** They may make replicas of a multi-Region key, too: each has a policy of its own, which whoever makes it chooses. */
  readonly replicas?: boolean;
  /** Under which the master key is sealed; may be empty. */
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Keys are made by an enclave and never sealed from outside. */
  readonly keysBornInEnclave: boolean;
  /** Of the key sets that open: one, or two while one takes the place of another. None: those of any generation, old ones too. */
  readonly generations?: readonly number[];
  /** What an application may do with its key (`kmsProxy.allow` of enclave.yaml), in KMS's names. None: the key is acra-server's. */
  readonly uses?: readonly string[];
}

/** While keys change. */
const MAX_GENERATIONS = 2;

const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const ADMINISTRATOR = /^arn:aws[a-z-]*:iam::\d{12}:(?:user|role)\/[\w+=,.@/-]+$/;

function requireForm(what: string, arn: string, form: RegExp, allowed: string): void {
  if (form.test(arn)) return;
  throw new KmsPolicyError('KMS_POLICY_WISH', `${what} is not named as a policy must name it`, { found: arn, allowed });
}

function refuseTwoHats({ roleArn, administrators, policyAdministrators }: PolicyWish): void {
  if (![...administrators, ...policyAdministrators].includes(roleArn)) return;
  throw new KmsPolicyError('KMS_POLICY_WISH', 'the role of the parent instance cannot look after the key as well', {
    found: roleArn,
    allowed: 'administrators that the parent instance cannot become: whoever has root there has its role',
  });
}

/** The registers that all measurements name, in their order. @throws KmsPolicyError KMS_POLICY_WISH */
export function demandedRegisters({ measurements }: Pick<PolicyWish, 'measurements'>): readonly PcrIndex[] {
  const [first, ...others] = measurements.map((registers) => [...registers.keys()].sort((a, b) => a - b));
  if (first === undefined || first.length === 0) {
    throw new KmsPolicyError('KMS_POLICY_WISH', 'no measurement is named, so any enclave could decrypt');
  }
  for (const other of others) {
    if (other.join() === first.join()) continue;
    throw new KmsPolicyError('KMS_POLICY_WISH', 'the measurements name different registers', {
      found: `${first.map(attestationKey).join(', ')} and ${other.map(attestationKey).join(', ')}`,
      allowed: 'the same registers in each, so that none lets in what the others would not',
    });
  }
  return first;
}

function refuseDebug({ measurements }: PolicyWish): void {
  for (const registers of measurements) {
    const zero = [...registers].find(([index, value]) => index <= 2 && isZeroPcr(value));
    if (zero === undefined) continue;
    throw new KmsPolicyError('KMS_POLICY_WISH', `PCR${zero[0]} is all zero`, {
      found: 'the measurement of every enclave in debug mode, whose memory and console the parent reads',
      allowed: 'the values of an image, from its measurements.json',
    });
  }
}

function refuseGenerations({ generations = [], keysBornInEnclave }: PolicyWish): void {
  const refuse = (message: string, allowed: string) => {
    throw new KmsPolicyError('KMS_POLICY_WISH', message, { found: generations.join(', '), allowed });
  };
  if (generations.length > 0 && !keysBornInEnclave)
    refuse('a generation is named for keys that have none', 'generations of keys that are born in the enclave');
  if (generations.some((each) => !Number.isSafeInteger(each) || each < 1))
    refuse('there is no such generation', 'whole numbers from 1 on');
  if (generations.length > MAX_GENERATIONS || new Set(generations).size < generations.length)
    refuse('these generations cannot all open', 'one, or two while a key set takes the place of another');
}

function refuseUses({ uses, keysBornInEnclave }: PolicyWish): void {
  if (uses === undefined || (uses.length > 0 && !keysBornInEnclave)) return;
  throw new KmsPolicyError('KMS_POLICY_WISH', 'this is no key of an application', {
    found: keysBornInEnclave ? 'keys that are born in the enclave' : 'no action',
    allowed: 'a key that kmsProxy.allow of enclave.yaml names',
  });
}

/** @throws KmsPolicyError KMS_POLICY_WISH */
export function requireSense(wish: PolicyWish): void {
  requireForm('the role', wish.roleArn, ROLE, 'arn:aws:iam::ACCOUNT:role/NAME');
  for (const arn of [...wish.administrators, ...wish.policyAdministrators]) {
    requireForm(
      'an administrator',
      arn,
      ADMINISTRATOR,
      'arn:aws:iam::ACCOUNT:user/NAME or :role/NAME, not the account',
    );
  }
  refuseTwoHats(wish);
  demandedRegisters(wish);
  refuseDebug(wish);
  refuseGenerations(wish);
  refuseUses(wish);
}
