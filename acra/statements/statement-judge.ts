/**
 * Judges the statements of all sessions (decision 13). Short ones in this thread: they are nearly all, parsing takes some
 * 10 µs and a thread's answer 60 to 100, and a text of that length cannot nest deeply enough to hurt. All others, and
 * every statement while this thread's parser is being replaced, in a thread of their own.
 */
import { isUtf8 } from 'node:buffer';
import type { Clock } from '../../runtime/clock.ts';
import type { Sides } from '../migration/sides.ts';
import type { Reader } from './draft.ts';
import { IsolatedJudge, type IsolationLimits } from './isolated-judge.ts';
import { type JudgeQuestion, type JudgeSettings, judge, type Verdict } from './judge.ts';
import { BrokenParserError, loadParser, type Parser, parseText } from './parser.ts';
import type { Plan, PreparedStatements } from './plan.ts';
import { ANY_RELATION, type Policy } from './policy.ts';
import { Refusal } from './refusal.ts';
import { RefusedText } from './refused-text.ts';
import type { Tables } from './scope.ts';

/**
 * The longest text that is parsed in this thread. Every level of nesting takes a character, so that it is at most this deep;
 * of all forms tried, the first to overflow the stack (`a[a[a[…`, `+ + +…`) needed over 6,000 bytes for it.
 */
export const MAX_SHORT_BYTES = 2048;

interface JudgeOptions extends IsolationLimits {
  /** Default: acra-server in line. */
  readonly reader: Reader;
  /** Default: any relation may receive values. */
  readonly policy: Policy;
}

const DEFAULTS: JudgeOptions = {
  reader: 'acra-server',
  policy: ANY_RELATION,
  timeoutMs: 30_000,
  heapMiB: 1024,
  recycleAfterBytes: 8 * 1024 * 1024,
};

export class StatementJudge {
  readonly #settings: JudgeSettings;
  readonly #isolated: IsolatedJudge;
  /** Undefined while it is being replaced. */
  #parser: Parser | undefined;

  private constructor(tables: Tables, clock: Clock, { reader, policy, ...limits }: JudgeOptions) {
    this.#settings = { tables, reader, policy };
    this.#isolated = new IsolatedJudge(this.#settings, clock, limits);
  }

  static async start(tables: Tables, clock: Clock, options: Partial<JudgeOptions> = {}): Promise<StatementJudge> {
    const own = new StatementJudge(tables, clock, { ...DEFAULTS, ...options });
    own.#parser = await loadParser();
    return own;
  }

  /**
   * @param sql one or more statements
   * @param prepared those that it executes; without, a plan that names them says nothing of their values
   * @param sides of the session; default: behind every switch
   * @throws Refusal 42000, 42601, 54001, 22021 (not UTF-8) when the text, as it is, must not reach the database
   */
  async judge(sql: Buffer, prepared?: PreparedStatements, sides?: Sides): Promise<Plan> {
    if (!isUtf8(sql)) throw new Refusal('encoding', 'the statement is not UTF-8 text');
    const text = sql.toString();
    const isShort = sql.length <= MAX_SHORT_BYTES;
    const verdict =
      (isShort && this.#judgeHere({ sql: text, prepared, sides })) ||
      (await this.#isolated.judge({ sql: text, prepared, sides }));
    if (verdict.kind === 'passes') return verdict.plan;
    throw new RefusedText(verdict.refusal, verdict.reason, verdict.sqlState, verdict.facts);
  }

  /** What a text is without its constants; undefined where it is not read here. @param sql up to MAX_SHORT_BYTES, else undefined */
  shapeOf(sql: string): string | undefined {
    if (!this.#parser || Buffer.byteLength(sql) > MAX_SHORT_BYTES) return undefined;
    try {
      return this.#parser.fingerprint(sql);
    } catch (error) {
      if (error instanceof BrokenParserError) this.#replaceParser();
      return undefined;
    }
  }

  /** Statements that wait still get their verdict. */
  stop(): Promise<void> {
    return this.#isolated.stop();
  }

  /** @returns undefined when the parser broke. @throws Refusal 42601, 54001 */
  #judgeHere({ sql, prepared, sides }: JudgeQuestion): Verdict | undefined {
    const parser = this.#parser;
    if (!parser) return undefined;
    try {
      return judge(this.#settings, parseText(parser, sql), prepared, sides);
    } catch (error) {
      if (!(error instanceof BrokenParserError)) throw error;
      this.#replaceParser();
      return undefined;
    }
  }

  /** Should that fail, statements go on being judged in the other thread, which loads its own. */
  #replaceParser(): void {
    this.#parser = undefined;
    loadParser().then(
      (parser) => {
        this.#parser = parser;
      },
      () => undefined,
    );
  }
}
