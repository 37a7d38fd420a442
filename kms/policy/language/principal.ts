/**
 * Whom a statement of a key policy is about (IAM reference, "Principal", "NotPrincipal"; KMS guide, "Default key policy").
 * The account (`arn:…:root`) is special: an Allow for it hands the decision over to IAM policies, a Deny for it covers everybody in it.
 */
import type { Truth } from './truth.ts';
import { not, some, truthOf } from './truth.ts';

interface PrincipalName {
  readonly type: 'AWS' | 'Service' | 'Federated' | 'CanonicalUser';
  readonly name: string;
}

export interface Principals {
  /** NotPrincipal: everybody but these. */
  readonly isNegated: boolean;
  readonly names: readonly PrincipalName[];
}

/** Who asks. A service is named by its host name (`s3.amazonaws.com`). */
export interface Caller {
  /** As logs show it: of a role, the session. */
  readonly arn: string;
  /** What a policy names to mean this caller: the user, or the role and not its session. */
  readonly policyArn: string;
  /** `policyArn` follows from a session, which does not tell the path of its role (`role/PATH/NAME`). */
  readonly isPathUnknown?: true;
}

const ACCOUNT = /^(?:(\d{12})|arn:[a-z-]+:iam::(\d{12}):root)$/;
/** A user, role or session, named in full; AWS takes no wildcards here. */
const IDENTITY = /^arn:[a-z-]+:(?:iam::\d{12}:(?:user|role)\/|sts::\d{12}:(?:assumed-role|federated-user)\/)[^*?]+$/;

/** What AWS shows in the place of a user or role that was deleted; nobody gets it again. */
const GONE = /^A[A-Z0-9]{15,}$/;

export function accountOf(arn: string): string | undefined {
  return /^arn:[a-z-]+:[a-z]+:[a-z0-9-]*:(\d{12}):/.exec(arn)?.[1];
}

/** The account that the name stands for as a whole. */
export function accountNamed({ type, name }: PrincipalName): string | undefined {
  const [, number, ofRoot] = (type === 'AWS' && ACCOUNT.exec(name)) || [];
  return number ?? ofRoot;
}

/** Whether it is of a kind that is judged; others (an ID of a principal that is gone, a canonical user) are not. */
export function isKnownName(principal: PrincipalName): boolean {
  const { type, name } = principal;
  if (type !== 'AWS') return type === 'Service';
  return name === '*' || IDENTITY.test(name) || accountNamed(principal) !== undefined;
}

const ROLE = /^arn:[a-z-]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/;
const SESSION = /^arn:[a-z-]+:sts::(\d{12}):assumed-role\/([^/]+)\//;

/** An account has one role of a name, whatever its path is (IAM user guide, "IAM and AWS STS quotas"). */
function isRoleOfSession(name: string, { arn }: Caller): boolean {
  const [, account, role] = SESSION.exec(arn) ?? [];
  const [, named, ofName] = ROLE.exec(name) ?? [];
  return account !== undefined && account === named && role === ofName;
}

interface Question {
  readonly caller: Caller;
  readonly effect: 'Allow' | 'Deny';
  /** Whether IAM policies allow it what the key policy leaves to the account. */
  readonly accountAllows: Truth;
}

function isNamed(principal: PrincipalName, { caller, effect, accountAllows }: Question): Truth {
  const { type, name } = principal;
  const isService = !caller.arn.startsWith('arn:');
  if (type === 'Service') return truthOf(isService && (name === caller.arn || name === '*'));
  if (type === 'AWS' && GONE.test(name)) return 'no';
  if (!isKnownName(principal)) return 'unknown';
  if (name === '*') return 'yes';
  const account = accountNamed(principal);
  if (account === undefined) {
    return truthOf(name === caller.arn || name === caller.policyArn || isRoleOfSession(name, caller));
  }
  if (account !== accountOf(caller.arn)) return 'no';
  return effect === 'Deny' || caller.arn.endsWith(':root') ? 'yes' : accountAllows;
}

/** Who is excepted must be named by role and by session, and the account too, says AWS, without saying what else happens. */
function isExcepted(principal: PrincipalName, { caller }: Question): Truth {
  const { type, name } = principal;
  if (type === 'AWS' && name === '*') return 'yes';
  if (name === caller.arn) return caller.arn === caller.policyArn ? 'yes' : 'unknown';
  if (name === caller.policyArn || isRoleOfSession(name, caller)) return 'unknown';
  return isKnownName(principal) ? 'no' : 'unknown';
}

export function judgePrincipals({ isNegated, names }: Principals, question: Question): Truth {
  if (isNegated) return not(some(names.map((name) => isExcepted(name, question))));
  return some(names.map((name) => isNamed(name, question)));
}
