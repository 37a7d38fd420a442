/**
 * `guard.mode: report`: what the judge would refuse goes to the database as the client wrote it, plaintext and all, its results come as
 * they are stored, and it is told. Everything else stays refused: what PostgreSQL would refuse as well, what changes how statements are
 * read, what is too long, and values that cannot be protected.
 */
import type { Message } from '../../postgres/message-reader.ts';
import { FRONTEND } from '../../postgres/message-types.ts';
import { BIND, PARSE } from '../../postgres/messages.ts';
import type { RequestKind } from '../../postgres/reply-queue.ts';
import type { Prepared } from '../statements/plan.ts';
import type { Refusal } from '../statements/refusal.ts';
import { REFUSALS } from '../statements/refusal-kinds.ts';
import { factsOfRefused } from '../statements/refused-text.ts';
import type { StatementFacts } from '../statements/statement-kinds.ts';
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

/** A plan that touches nothing. */
const untouching = (facts: StatementFacts | undefined): Prepared => ({
  parameters: new Map(),
  copies: [],
  results: [],
  executes: [],
  fetches: [],
  effects: [],
  kinds: facts?.kinds ?? ['other'],
  streams: facts?.streams ?? [],
});

interface Session {
  readonly watch: StatementWatch;
  readonly portals: Portals;
  /** How many Syncs the client has sent. */
  readonly segment: number;
}

/** What is remembered of a message that passes. @param refusal why it would not */
export function asWritten({ type, body }: Message, refusal: Refusal, { watch, portals, segment }: Session): Request {
  watch.wouldRefuse(refusal);
  const kind = KINDS[type] ?? 'query';
  if (kind === 'query')
    return { kind, plan: untouching(factsOfRefused(refusal)), work: watch.refused(refusal, 'reported') };
  if (kind === 'bind') portals.bound(BIND.decode(body)[0], undefined, []);
  if (kind !== 'parse') return { kind };
  const plan = untouching(factsOfRefused(refusal));
  watch.parsed(plan, refusal);
  return { kind, name: PARSE.decode(body)[0], plan, segment };
}
