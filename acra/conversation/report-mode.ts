/**
 * `guard.mode: report`: what the judge would refuse goes to the database as the client wrote it, plaintext and all, its results come as
 * they are stored, and it is told. A statement or cursor that it makes went as it was written: whatever executes or reads it later does so, too,
 * and is told. Everything else stays refused: what PostgreSQL would refuse as well, what changes how statements are read, what is too long, and
 * values that cannot be protected.
 */
import type { Message } from '../../postgres/message-reader.ts';
import { FRONTEND } from '../../postgres/message-types.ts';
import { BIND, PARSE } from '../../postgres/messages.ts';
import type { RequestKind } from '../../postgres/reply-queue.ts';
import type { NameFact } from '../statements/names-made.ts';
import type { Effect, Prepared } from '../statements/plan.ts';
import type { Refusal } from '../statements/refusal.ts';
import { REFUSALS } from '../statements/refusal-kinds.ts';
import { factsOfRefused } from '../statements/refused-text.ts';
import type { TextFacts } from '../statements/statement-kinds.ts';
import type { Names } from './names.ts';
import type { Portals } from './portals.ts';
import type { Request } from './request.ts';
import type { StatementWatch } from './statement-watch.ts';

const KINDS: Readonly<Record<string, RequestKind>> = {
  [FRONTEND.query]: 'query',
  [FRONTEND.parse]: 'parse',
  [FRONTEND.bind]: 'bind',
  [FRONTEND.describe]: 'describe',
  [FRONTEND.execute]: 'execute',
  [FRONTEND.close]: 'close',
};

export const mayPass = ({ kind }: Refusal): boolean => REFUSALS[kind].inReportMode === 'passes';

/** What a name means that such a text makes: a statement, or a cursor, that nothing is known of. */
const effectOf = (fact: NameFact, prepared: Prepared): Effect =>
  fact.does === 'prepare' || fact.does === 'declare'
    ? { at: fact.at, does: fact.does, name: fact.name, prepared }
    : { at: fact.at, does: fact.does, name: fact.name };

/** A plan that touches nothing. */
function asItIs(facts: TextFacts | undefined): Prepared {
  const plan = untouching(facts);
  return { ...plan, effects: facts?.names.map((fact) => effectOf(fact, plan)) ?? [] };
}

const untouching = (facts: TextFacts | undefined): Prepared => ({
  parameters: new Map(),
  copies: [],
  results: [],
  executes: [],
  fetches: [],
  effects: [],
  kinds: facts?.kinds ?? ['other'],
  streams: facts?.streams ?? [],
  isAsWritten: true,
});

interface Session {
  readonly watch: StatementWatch;
  readonly portals: Portals;
  readonly names: Names;
  /** How many Syncs the client has sent. */
  readonly segment: number;
}

/** What is remembered of a message that passes. @param refusal why it would not */
export function asWritten(
  { type, body }: Message,
  refusal: Refusal,
  { watch, portals, names, segment }: Session,
): Request {
  watch.wouldRefuse(refusal);
  const kind = KINDS[type] ?? 'query';
  const plan = asItIs(factsOfRefused(refusal));
  if (kind === 'query')
    return { kind, plan, effects: names.sending(plan, segment), work: watch.refused(refusal, 'reported') };
  if (kind === 'bind') portals.bound(BIND.decode(body)[0], undefined, []);
  if (kind !== 'parse') return { kind };
  watch.parsed(plan, refusal);
  return { kind, name: PARSE.decode(body)[0], plan, segment };
}
