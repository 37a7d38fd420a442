/** What the guard says of statements; where nothing else is said, with only the relation `o` and no function on the list. */
import { judge } from '../../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../../acra/statements/parser.ts';
import { ANY_RELATION, type Policy } from '../../../../acra/statements/policy.ts';
import { tables } from '../../../emulator/acra-server/support/vector-cipher.ts';
import { shownText } from './shown-text.ts';

const LISTED: Policy = { relations: 'listed', list: { relations: ['o'], functions: [], uniqueSearches: [] } };
const parser = await loadParser();

const verdictOn = (sql: string, policy = LISTED) => judge({ tables, reader: 'engine', policy }, parseText(parser, sql));

/** The state of its refusal, or `passes`; by default whatever relation may be given values. */
export function stateOf(sql: string, policy: Policy = ANY_RELATION): string {
  const verdict = verdictOn(sql, policy);
  return verdict.kind === 'passes' ? 'passes' : verdict.sqlState;
}

/** The kind of its refusal, or `passes`. */
export function kindOf(sql: string): string {
  const verdict = verdictOn(sql);
  return verdict.kind === 'passes' ? 'passes' : verdict.refusal;
}

/** What the database would get; or the kind of its refusal. */
export function sentFor(sql: string): string {
  const verdict = verdictOn(sql);
  return verdict.kind === 'passes' ? shownText(sql, verdict.plan) : verdict.refusal;
}
