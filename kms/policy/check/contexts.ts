/** The encryption contexts that a policy is tried with: every combination of the pairs that it may tell apart. */
import type { Policy } from '../language/document.ts';

export type Context = Readonly<Record<string, string>>;

const PREFIX = 'kms:EncryptionContext:';
const MAX_CONTEXTS = 128;
const ANOTHER = 'another value';

/** Values by name; names differ by more than their case, which condition keys do not have. */
type Pairs = ReadonlyMap<string, { readonly name: string; readonly values: ReadonlySet<string | undefined> }>;

function pairsToTry(policy: Policy, expected: readonly Context[]): Pairs {
  const pairs = new Map<string, { readonly name: string; readonly values: Set<string | undefined> }>();
  const add = (name: string, values: readonly string[]) => {
    const id = name.toLowerCase();
    const pair = pairs.get(id) ?? { name, values: new Set<string | undefined>() };
    for (const value of [...values, ANOTHER, undefined]) pair.values.add(value);
    pairs.set(id, pair);
  };
  for (const [name, value] of expected.flatMap((context) => Object.entries(context))) add(name, [value]);
  for (const { key, keyName, values } of policy.flatMap(({ conditions }) => conditions)) {
    if (!key.startsWith(PREFIX.toLowerCase())) continue;
    add(
      keyName.slice(PREFIX.length),
      values.map((value) => value.replaceAll('*', 'x').replaceAll('?', 'x')),
    );
  }
  return pairs;
}

function withPair(context: Context, name: string, value: string | undefined): Context {
  const others = Object.entries(context).filter(([other]) => other !== name);
  return Object.fromEntries(value === undefined ? others : [...others, [name, value]]);
}

interface Contexts {
  /** Those that were expected first. */
  readonly contexts: readonly Context[];
  /** There were too many: one deviation at a time is tried. */
  readonly isIncomplete: boolean;
}

/** @param expected one at least */
export function contextsToTry(policy: Policy, expected: readonly Context[]): Contexts {
  const pairs = [...pairsToTry(policy, expected).values()];
  const isIncomplete = pairs.reduce((product, { values }) => product * values.size, 1) > MAX_CONTEXTS;
  let contexts = expected;
  for (const { name, values } of pairs) {
    const before = isIncomplete ? expected : contexts;
    const deviating = before.flatMap((context) => [...values].map((value) => withPair(context, name, value)));
    contexts = [...contexts, ...deviating];
  }
  const identity = (context: Context) => JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1)));
  const known = new Map<string, Context>();
  for (const context of contexts) if (!known.has(identity(context))) known.set(identity(context), context);
  return { contexts: [...known.values()], isIncomplete };
}
