/**
 * Makes the key policy that ties a master key to measurements, and the IAM policy of the parent instance's role. Where keys are born in the
 * enclave it can demand the generation of the key set, by the encryption context, which KMS knows alike of the request for a data key and of
 * the one that opens it (KMS guide, "kms:EncryptionContext:context-key"). Its operator must be no set operator: KMS refuses those there.
 *
 * One Allow for each measurement, so that registers of two images are never mixed. What is not allowed is denied anyway; the
 * Denies are there against grants and later additions, which an explicit Deny beats (IAM reference, "Policy evaluation logic";
 * KMS guide, "Grants"). A negated operator holds when its key is absent: each of them catches a request without a document, too.
 */
import type { PcrIndex } from '../../wire/brands.ts';
import { GENERATION_CONTEXT } from '../../wire/generation-context.ts';
import { ADMINISTERING, DELEGATING, RE_ENCRYPTING, READING, REVEALING, SEALING, usesOf } from './actions.ts';
import { accountOf } from './language/principal.ts';
import { attestationKey, type Registers } from './language/request-context.ts';
import type { PolicyWish } from './wish.ts';
import { demandedRegisters, requireSense } from './wish.ts';

type Json = Readonly<Record<string, unknown>>;

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Json[];
}

const EVERYBODY = { AWS: '*' };

const oneOrAll = <Item>(items: readonly Item[]): Item | readonly Item[] =>
  items.length === 1 && items[0] !== undefined ? items[0] : items;

const namesOf = (generations: readonly number[]) => oneOrAll(generations.map(String));

function contextCondition(context: Readonly<Record<string, string | readonly string[]>>): Json {
  const pairs = Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]);
  return pairs.length === 0 ? {} : { StringEquals: Object.fromEntries(pairs) };
}

/** KMS's values are in lower case, and so are these; the operator forgives those who edit. */
function registerCondition(registers: Registers, demanded: readonly PcrIndex[]): Json {
  const pairs = demanded.map((index) => [attestationKey(index), registers.get(index)?.toString('hex')]);
  return { StringEqualsIgnoreCase: Object.fromEntries(pairs) };
}

function administration({ administrators, policyAdministrators, ...wish }: PolicyWish): Json[] {
  const statements: Json[] = [];
  const allow = (Sid: string, arns: readonly string[], Action: unknown, Condition: Json = {}) => {
    if (arns.length === 0) return;
    const condition = Object.keys(Condition).length === 0 ? {} : { Condition };
    statements.push({ Sid, Effect: 'Allow', Principal: { AWS: oneOrAll(arns) }, Action, Resource: '*', ...condition });
  };
  allow('AdministratorsLookAfterTheKey', administrators, [...READING, ...ADMINISTERING]);
  if (!wish.keysBornInEnclave && wish.uses === undefined) {
    allow('AdministratorsSealMasterKeys', administrators, 'kms:Encrypt', contextCondition(wish.encryptionContext));
  }
  const ruling = ['kms:GetKeyPolicy', 'kms:PutKeyPolicy', ...(wish.replicas ? ['kms:ReplicateKey'] : [])];
  allow('PolicyAdministratorsRule', policyAdministrators, ruling);
  return statements;
}

/** One statement for each image; what they may, one after the other. */
function enclaves(wish: PolicyWish, demanded: readonly PcrIndex[]): Json[] {
  const { encryptionContext, generations = [], keysBornInEnclave, measurements, roleArn } = wish;
  const statements = (name: string, Action: unknown, contexts: Json) =>
    measurements.map((registers, index) => ({
      Sid: `${name}${index === 0 ? '' : index + 1}`,
      Effect: 'Allow',
      Principal: { AWS: roleArn },
      Action,
      Resource: '*',
      Condition: { ...registerCondition(registers, demanded), ...contexts },
    }));
  const inAnyGeneration = contextCondition(encryptionContext);
  if (wish.uses !== undefined) {
    const { attested } = usesOf(wish.uses);
    return attested.length === 0 ? [] : statements('OnlyTheMeasuredEnclave', oneOrAll(attested), inAnyGeneration);
  }
  if (!keysBornInEnclave) return statements('OnlyTheMeasuredEnclave', 'kms:Decrypt', inAnyGeneration);
  if (generations.length === 0)
    return statements('OnlyTheMeasuredEnclave', ['kms:Decrypt', 'kms:GenerateDataKey'], inAnyGeneration);
  const inTheseGenerations = contextCondition({ ...encryptionContext, [GENERATION_CONTEXT]: namesOf(generations) });
  return [
    ...statements('OnlyTheMeasuredEnclave', 'kms:Decrypt', inTheseGenerations),
    // The next generation is made before this one goes.
    ...statements('OnlyTheMeasuredEnclaveMakesKeys', 'kms:GenerateDataKey', inAnyGeneration),
  ];
}

/**
 * What KMS answers without a Recipient it cannot tie to measurements: whoever has the role may do it, the parent instance too. To
 * re-encrypt from the key is left out: it would take what is under it to a key of anybody's.
 */
function withoutAttestation({ uses = [], roleArn }: PolicyWish): Json[] {
  const { unattested } = usesOf(uses);
  if (unattested.length === 0) return [];
  const Action = oneOrAll(unattested);
  return [{ Sid: 'WhoeverHasTheRole', Effect: 'Allow', Principal: { AWS: roleArn }, Action, Resource: '*' }];
}

/** One a register: the conditions of one statement must all hold, and a Deny must catch each deviation by itself. */
function noOthers({ measurements }: PolicyWish, demanded: readonly PcrIndex[]): Json[] {
  return demanded.map((index) => {
    const values = [...new Set(measurements.map((registers) => registers.get(index)?.toString('hex') ?? ''))];
    return {
      Sid: `NobodyWithAnother${index === 0 ? 'Image' : `PCR${index}`}`,
      Effect: 'Deny',
      Principal: EVERYBODY,
      Action: REVEALING,
      Resource: '*',
      Condition: { StringNotEqualsIgnoreCase: { [attestationKey(index)]: oneOrAll(values) } },
    };
  });
}

/** Holds for whatever names no generation, too. */
function noOtherGeneration({ generations = [] }: PolicyWish): Json[] {
  if (generations.length === 0) return [];
  const Condition = { StringNotEquals: { [`kms:EncryptionContext:${GENERATION_CONTEXT}`]: namesOf(generations) } };
  return [
    {
      Sid: 'NobodyWithAnotherGeneration',
      Effect: 'Deny',
      Principal: EVERYBODY,
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition,
    },
  ];
}

/** Only what the application uses is left to it. */
function noWayRoundItsUses(uses: readonly string[]): Json {
  const { unattested } = usesOf(uses);
  const Action = [DELEGATING, RE_ENCRYPTING, ...SEALING].filter((action) => !unattested.includes(action));
  return { Sid: 'NobodySealsOrHandsOn', Effect: 'Deny', Principal: EVERYBODY, Action, Resource: '*' };
}

function noWayRound({ keysBornInEnclave, uses }: PolicyWish): Json {
  if (uses !== undefined) return noWayRoundItsUses(uses);
  const others = SEALING.filter((action) => action !== 'kms:Encrypt' && action !== 'kms:ReEncryptTo');
  return {
    Sid: keysBornInEnclave ? 'NobodySealsOutsideOrHandsOn' : 'NobodyHandsOn',
    Effect: 'Deny',
    Principal: EVERYBODY,
    Action: [DELEGATING, 'kms:ReEncrypt*', ...others, ...(keysBornInEnclave ? ['kms:Encrypt'] : [])],
    Resource: '*',
  };
}

/** @throws KmsPolicyError KMS_POLICY_WISH */
export function makeKeyPolicy(wish: PolicyWish): PolicyDocument {
  requireSense(wish);
  const demanded = demandedRegisters(wish);
  const statements = [
    ...administration(wish),
    ...enclaves(wish, demanded),
    ...withoutAttestation(wish),
    ...noOthers(wish, demanded),
    ...noOtherGeneration(wish),
    noWayRound(wish),
  ];
  return { Version: '2012-10-17', Statement: statements };
}

/**
 * GenerateRandom has no key, so no key policy allows it, and its resource is `*`. It needs no condition: random bytes are no
 * secret of the account, and each caller gets others. A key of another account must be allowed here as well as there.
 * @param databaseLogins users of RDS databases that the role may be (`database.login: rds-iam`), as IAM names them
 */
export function makeRolePolicy(
  { roleArn, keysBornInEnclave, uses }: Pick<PolicyWish, 'roleArn' | 'keysBornInEnclave' | 'uses'>,
  keyArn?: string,
  databaseLogins: readonly string[] = [],
): PolicyDocument {
  const statements: Json[] = [
    { Sid: 'RandomnessForEnclaves', Effect: 'Allow', Action: 'kms:GenerateRandom', Resource: '*' },
  ];
  if (keyArn !== undefined && accountOf(keyArn) !== accountOf(roleArn)) {
    const own = keysBornInEnclave ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'];
    const { attested, unattested } = usesOf(uses ?? []);
    const Action = oneOrAll(uses === undefined ? own : [...attested, ...unattested]);
    statements.push({ Sid: 'TheKeyOfTheOtherAccount', Effect: 'Allow', Action, Resource: keyArn });
  }
  if (databaseLogins.length > 0) {
    const Resource = oneOrAll(databaseLogins);
    statements.push({ Sid: 'UsersOfTheDatabase', Effect: 'Allow', Action: 'rds-db:connect', Resource });
  }
  return { Version: '2012-10-17', Statement: statements };
}
