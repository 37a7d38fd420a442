/** What the guard says of statements where only the relation `o` and no function is on the list. */
import { judge } from '../../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../../acra/statements/parser.ts';
import type { Policy } from '../../../../acra/statements/policy.ts';
import { tables } from '../../../emulator/acra-server/support/vector-cipher.ts';
import { shownText } from './shown-text.ts';

const LISTED: Policy = { relations: 'listed', list: { relations: ['o'], functions: [], uniqueSearches: [] } };
const parser = await loadParser();

const verdictOn = (sql: string) => judge({ tables, reader: 'engine', policy: LISTED }, parseText(parser, sql));

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
