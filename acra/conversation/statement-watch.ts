/**
 * How long the statements of one session take, phase by phase, and what became of them: for counters and for the log of slow ones.
 * Only what carries out a statement is a piece of work: a simple query, or what Parse, Bind and Execute do together.
 *
 *   client   Parse ───judge──▶ Bind ──engine──▶ Execute ─┐
 *   database                                             └──database──▶ rows ──engine──▶ … ──▶ CommandComplete: finished
 *
 * `database` is the wait for its answers from the end of the answer before, or from when it was sent; a client that does not take its
 * rows, or is slow with its COPY data, is part of that.
 */
import { BACKEND } from '../../postgres/message-types.ts';
import type { RequestKind } from '../../postgres/reply-queue.ts';
import type { Plan, Prepared } from '../statements/plan.ts';
import type { Refusal } from '../statements/refusal.ts';
import type { RefusalKind } from '../statements/refusal-kinds.ts';
import { factsOfRefused } from '../statements/refused-text.ts';
import type { StatementKind } from '../statements/statement-kinds.ts';
import { takesValues } from '../statements/value-use.ts';

/** `reported`: it would be refused, were `guard.mode` not `report`. */
export const STATEMENT_VERDICTS = ['untouched', 'protected', 'refused', 'reported'] as const;
export type StatementVerdict = (typeof STATEMENT_VERDICTS)[number];

export const PHASES = ['judge', 'engine', 'database'] as const;
type Phase = (typeof PHASES)[number];

export interface Work {
  /** Of each statement of the text; none where they have been counted. */
  kinds: readonly StatementKind[];
  verdict: StatementVerdict;
  refusal: RefusalKind | undefined;
  /** Its beginning, as latin1: to tell statements apart with, never to be shown. */
  readonly sql: string;
  /** Milliseconds. */
  spent: Record<Phase, number>;
  sentMs: number;
}

export interface StatementObserver {
  /** Milliseconds on a clock that never goes back. */
  nowMs(): number;
  finished(work: Work): void;
  /** @param sql as of Work */
  wouldRefuse(refusal: Refusal, sql: string): void;
}

export const UNOBSERVED: StatementObserver = {
  nowMs: () => 0,
  finished: () => undefined,
  wouldRefuse: () => undefined,
};

interface Asked {
  readonly kind: RequestKind;
  readonly work?: Work | undefined;
}

/** Which messages of the database end the work of which requests; a Parse has some only where it is refused. */
const ENDS: Readonly<Record<string, readonly RequestKind[]>> = {
  [BACKEND.commandComplete]: ['execute'],
  [BACKEND.portalSuspended]: ['execute'],
  [BACKEND.errorResponse]: ['execute', 'parse'],
  [BACKEND.readyForQuery]: ['query', 'functionCall'],
};

interface Origin {
  readonly verdict: StatementVerdict;
  readonly refusal: RefusalKind | undefined;
  readonly sql: string;
  /** Of Parse, until its first Bind. */
  judgeMs: number;
  engineMs: number;
}

/** Of a text that is kept: a session may prepare many, and long ones. */
const KEPT_CHARACTERS = 2_048;

/** A copy, where it is cut: a slice would hold all of it. */
const beginning = (sql: string) =>
  sql.length <= KEPT_CHARACTERS ? sql : Buffer.from(sql.slice(0, KEPT_CHARACTERS), 'latin1').toString('latin1');

const verdictOn = (plan: Prepared & Partial<Plan>): StatementVerdict =>
  takesValues(plan) ||
  plan.edits?.length ||
  plan.results.some((outputs) => outputs.some((each) => typeof each === 'object')) ||
  plan.streams.some(({ content }) => content?.outputs.some((each) => typeof each === 'object'))
    ? 'protected'
    : 'untouched';

export class StatementWatch {
  readonly #observer: StatementObserver;
  readonly #origins = new WeakMap<Prepared, Origin>();
  /** Of the client's message that is being judged. */
  #judgeMs = 0;
  #engineMs = 0;
  #sql = '';
  #plan: Prepared | undefined;
  /** When rows were read last. */
  #readMs = 0;
  /** When the database ended an answer. */
  #answeredMs = 0;

  constructor(observer: StatementObserver) {
    this.#observer = observer;
  }

  /** Another message of the client's. */
  begin(): void {
    this.#judgeMs = 0;
    this.#engineMs = 0;
    this.#sql = '';
    this.#plan = undefined;
  }

  async judging<Result>(sql: string, judge: () => Promise<Result>): Promise<Result> {
    const startedMs = this.#observer.nowMs();
    this.#sql = sql;
    try {
      return await judge();
    } finally {
      this.#judgeMs += this.#observer.nowMs() - startedMs;
    }
  }

  /** Values for this plan. */
  async protecting<Result>(plan: Prepared, protect: () => Promise<Result>): Promise<Result> {
    const startedMs = this.#observer.nowMs();
    this.#plan = plan;
    try {
      return await protect();
    } finally {
      this.#engineMs += this.#observer.nowMs() - startedMs;
    }
  }

  /** Rows of what the work asked for. */
  async reading<Result>(work: Work | undefined, read: () => Promise<Result>): Promise<Result> {
    if (!work) return await read();
    const startedMs = this.#observer.nowMs();
    try {
      return await read();
    } finally {
      // While it went on, those before it did too, for a part of the time.
      const nowMs = this.#observer.nowMs();
      const tookMs = nowMs - Math.max(startedMs, this.#readMs);
      this.#readMs = nowMs;
      work.spent.engine += tookMs;
      work.spent.database -= tookMs;
    }
  }

  /** A simple query. */
  queried(plan: Prepared): Work {
    return this.#work(plan.kinds, { verdict: verdictOn(plan), refusal: undefined, sql: beginning(this.#sql) });
  }

  /** Parse. @param refusal where it is passed on all the same */
  parsed(plan: Prepared, refusal?: Refusal): void {
    this.#origins.set(plan, {
      verdict: refusal ? 'reported' : verdictOn(plan),
      refusal: refusal?.kind,
      sql: beginning(this.#sql),
      judgeMs: this.#judgeMs,
      engineMs: this.#engineMs,
    });
  }

  bound(plan: Prepared): Work | undefined {
    const origin = this.#origins.get(plan);
    if (!origin) return undefined;
    this.#judgeMs += origin.judgeMs;
    this.#engineMs += origin.engineMs;
    origin.judgeMs = 0;
    origin.engineMs = 0;
    return this.#work(plan.kinds, origin);
  }

  /** @param verdict what becomes of it */
  refused(refusal: Refusal, verdict: 'refused' | 'reported'): Work {
    const origin = this.#plan && this.#origins.get(this.#plan);
    const kinds = factsOfRefused(refusal)?.kinds ?? this.#plan?.kinds ?? ['other'];
    return this.#work(kinds, { verdict, refusal: refusal.kind, sql: origin?.sql ?? beginning(this.#sql) });
  }

  wouldRefuse(refusal: Refusal): void {
    this.#observer.wouldRefuse(refusal, beginning(this.#sql));
  }

  sent(work: Work | undefined): void {
    if (work) work.sentMs = this.#observer.nowMs();
  }

  /** The database has sent a message of this type. @param request under way */
  answered(type: string, request: Asked | undefined): void {
    if (request?.work && ENDS[type]?.includes(request.kind)) this.#finish(request.work);
  }

  /** A portal may be asked for more rows, which are no other statement. */
  #finish(work: Work): void {
    const { spent, sentMs } = work;
    const nowMs = this.#observer.nowMs();
    spent.database = Math.max(0, spent.database + nowMs - Math.max(sentMs, this.#answeredMs));
    this.#answeredMs = nowMs;
    this.#observer.finished(work);
    work.kinds = [];
    work.spent = { judge: 0, engine: 0, database: 0 };
  }

  #work(kinds: readonly StatementKind[], { verdict, refusal, sql }: Pick<Work, 'verdict' | 'refusal' | 'sql'>): Work {
    const spent = { judge: this.#judgeMs, engine: this.#engineMs, database: 0 };
    return { kinds, verdict, refusal, sql, spent, sentMs: 0 };
  }
}
