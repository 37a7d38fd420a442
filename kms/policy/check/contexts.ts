/** The encryption contexts that a policy is tried with: the enclave's, and for each statement one that satisfies it. */
import type { Policy, Statement } from '../language/document.ts';

export type Context = Readonly<Record<string, string>>;

const PREFIX = 'kms:EncryptionContext:';

function satisfying({ conditions }: Statement, expected: Context): Context {
  const own = conditions.flatMap(({ key, keyName, values: [first] }): [string, string][] => {
    if (!key.startsWith(PREFIX.toLowerCase()) || first === undefined) return [];
    return [[keyName.slice(PREFIX.length), first.replaceAll('*', 'x').replaceAll('?', 'x')]];
  });
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  const others = Object.entries(expected).filter(([name]) => !names.has(name.toLowerCase()));
  return Object.fromEntries([...others, ...own]);
}

/** The enclave's first. */
export function contextsToTry(policy: Policy, expected: Context): readonly Context[] {
  const all = [expected, ...policy.map((statement) => satisfying(statement, expected))];
  const identity = (context: Context) => JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1)));
  return [...new Map(all.toReversed().map((context) => [identity(context), context])).values()].toReversed();
}
