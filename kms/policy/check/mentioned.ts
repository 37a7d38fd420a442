/**
 * What a policy mentions: values of registers, and callers. Equality, and patterns with wildcards, tell apart only what is mentioned
 * from everything else; so trying each mentioned value, and one that nobody mentions, tries them all.
 */
import type { Policy, Statement } from '../language/document.ts';
import { holds } from '../language/operators.ts';
import type { Caller } from '../language/principal.ts';
import { accountNamed, accountOf } from '../language/principal.ts';
import { isNitroTpmKey, registerOfKey } from '../language/request-context.ts';

const HEX_DIGITS = 96;
const HEX = /^[0-9a-f]{96}$/;
/** Of no image: nobody finds an input with this hash. */
const FRESH_DIGIT = '5';
export const FRESH_VALUE = FRESH_DIGIT.repeat(HEX_DIGITS);

/** A text that the pattern matches, of the length that all values have; undefined when there is none. */
export function instanceOf(pattern: string): string | undefined {
  const text = pattern.toLowerCase().replaceAll('?', FRESH_DIGIT);
  const fixed = text.replaceAll('*', '');
  const missing = HEX_DIGITS - fixed.length;
  if (!text.includes('*') && missing !== 0) return undefined;
  if (missing < 0) return undefined;
  const filled = text.replace('*', FRESH_DIGIT.repeat(missing)).replaceAll('*', '');
  return HEX.test(filled) ? filled : undefined;
}

function valuesOf(statements: readonly Statement[], keyIsMeant: (key: string) => number | undefined) {
  const byNumber = new Map<number, Set<string>>();
  for (const { key, values, operator } of statements.flatMap(({ conditions }) => conditions)) {
    const number = keyIsMeant(key);
    if (number === undefined) continue;
    const known = byNumber.get(number) ?? new Set();
    byNumber.set(number, known);
    if (operator?.comparison === 'Null') continue;
    for (const value of values) {
      const instance = instanceOf(value);
      if (instance !== undefined) known.add(instance);
    }
  }
  return byNumber;
}

/** Values in lower-case hexadecimal by register, empty for a register that is asked for without a value (Null). */
export function mentionedRegisters(policy: Policy): ReadonlyMap<number, ReadonlySet<string>> {
  return valuesOf(policy, registerOfKey);
}

/** Registers that a condition may pass over when they are absent: a document need not have those from 16 on. */
export function registersThatMayLack(policy: Policy): ReadonlySet<number> {
  const conditions = policy.flatMap((statement) => statement.conditions);
  const passing = conditions.filter(({ operator, values }) => operator && holds(operator, undefined, values) !== 'no');
  const registers = passing.map(({ key }) => registerOfKey(key));
  return new Set(registers.filter((index) => index !== undefined));
}

/** The same of a NitroTPM. */
export function mentionedNitroTpm(policy: Policy): ReadonlyMap<number, ReadonlySet<string>> {
  return valuesOf(policy, (key) => (isNitroTpmKey(key) ? Number(/\d+$/.exec(key)?.[0]) : undefined));
}

/** The caller that a policy means by this ARN: of a role, a session. */
export function callerOf(arn: string): Caller {
  const role = /^arn:([a-z-]+):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(arn);
  if (role !== null) return { arn: `arn:${role[1]}:sts::${role[2]}:assumed-role/${role[3]}/session`, policyArn: arn };
  const session = /^arn:([a-z-]+):sts::(\d{12}):assumed-role\/([^/]+)\/.+$/.exec(arn);
  if (session !== null) {
    return { arn, policyArn: `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`, isPathUnknown: true };
  }
  return { arn, policyArn: arn };
}

const FOREIGN_ACCOUNT = '999999999999';
const somebodyOf = (account: string, partition = 'aws') =>
  callerOf(`arn:${partition}:iam::${account}:role/somebody-else`);

function callersNamed({ principals }: Statement): Caller[] {
  return (principals?.names ?? []).flatMap((name) => {
    if (name.name === '*') return [];
    const account = accountNamed(name);
    if (account !== undefined) return [somebodyOf(account)];
    return name.type === 'AWS' || name.type === 'Service' ? [callerOf(name.name)] : [];
  });
}

/** One whose ARN fits the pattern, in that account where the pattern leaves it open. */
function fitting(pattern: string, account: string): string {
  const [arn = '', partition = '', service = '', region = '', owner = '', ...rest] = pattern.split(':');
  const name = rest.join(':').replaceAll('*', 'somebody-else').replaceAll('?', 'x');
  const parts = [arn, /[*?]/.test(partition) ? 'aws' : partition, /[*?]/.test(service) ? 'iam' : service];
  return [...parts, /[*?]/.test(region) ? '' : region, /[*?]/.test(owner) ? account : owner, name].join(':');
}

const ACCOUNT_KEYS = ['aws:principalaccount', 'kms:calleraccount'];

function callersOfConditions({ conditions }: Statement, accounts: readonly string[]): Caller[] {
  const valuesOfKeys = (keys: readonly string[]) =>
    conditions.filter(({ key }) => keys.includes(key)).flatMap(({ values }) => values);
  const arns = valuesOfKeys(['aws:principalarn']);
  const named = valuesOfKeys(ACCOUNT_KEYS).map((value) => value.replaceAll('?', '9').replace('*', '9'.repeat(12)));
  return [
    ...arns.flatMap((pattern) => accounts.map((account) => callerOf(fitting(pattern, account)))),
    ...named.map((account) => somebodyOf(account.slice(0, 12))),
  ];
}

/** Everybody whom the policy may tell apart: those whom it names, `named`, and one whom nobody names in each account. */
export function callersToTry(policy: Policy, named: readonly string[]): readonly Caller[] {
  const own = named.map(accountOf).filter((account) => account !== undefined);
  const accounts = [...new Set([...own, FOREIGN_ACCOUNT])];
  const callers = [
    ...named.map(callerOf),
    ...policy.flatMap(callersNamed),
    ...policy.flatMap((statement) => callersOfConditions(statement, accounts)),
    ...accounts.map((account) => somebodyOf(account)),
  ];
  return [...new Map(callers.map((caller) => [caller.arn, caller])).values()];
}
