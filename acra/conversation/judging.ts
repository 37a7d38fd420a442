/** What the database gets of a client's text and parameters: judged, and with values protected. */
import { isBinaryAt } from '../../postgres/messages.ts';
import type { LiteralEdit } from '../statements/draft.ts';
import type { Plan, Prepared, PreparedStatements } from '../statements/plan.ts';
import { Refusal } from '../statements/refusal.ts';
import { rewrite } from '../statements/rewrite.ts';
import { takesValues, type ValueUse } from '../statements/value-use.ts';
import type { Names } from './names.ts';
import type { StatementWatch } from './statement-watch.ts';
import type { ValueProtector } from './value-protector.ts';

export interface Judge {
  /** @param prepared the statements that it executes, once it is known which. @throws Refusal */
  judge(sql: Buffer, prepared?: PreparedStatements): Promise<Plan>;
}

export interface Judged {
  readonly plan: Plan;
  /** The client's parameters. */
  readonly parameterCount: number;
  /** As latin1, like every text of a message. */
  readonly rewritten: string;
}

interface Parameters {
  readonly formats: readonly number[];
  readonly values: readonly (Buffer | null)[];
}

interface JudgingDeps {
  readonly judge: Judge;
  readonly protector: ValueProtector;
  readonly names: Names;
  readonly watch: StatementWatch;
}

export class Judging {
  readonly #judge: Judge;
  readonly #protector: ValueProtector;
  readonly #names: Names;
  readonly #watch: StatementWatch;
  /** What the statements meant that a judged text executes. */
  readonly #executed = new WeakMap<Prepared, PreparedStatements>();

  constructor({ judge, protector, names, watch }: JudgingDeps) {
    this.#judge = judge;
    this.#protector = protector;
    this.#names = names;
    this.#watch = watch;
  }

  /**
   * @param sql as latin1 @param typeCount of the parameters that the client gives types to @param segment how many Syncs it has sent
   * @throws Refusal
   */
  async text(sql: string, typeCount: number, segment: number): Promise<Judged> {
    const text = Buffer.from(sql, 'latin1');
    const plan = await this.#watch.judging(sql, () => this.#planOf(text, segment));
    const parameterCount = Math.max(typeCount, plan.parameterCount);
    if (plan.edits.length === 0) return { plan, parameterCount, rewritten: sql };
    const literals = plan.edits.filter(
      (edit): edit is LiteralEdit & (typeof plan.edits)[number] => edit.kind === 'literal',
    );
    const values = await this.#watch.protecting(plan, () =>
      Promise.all(literals.map((literal) => this.#protector.literal(literal))),
    );
    const protectedBy = new Map<LiteralEdit, Buffer>(
      literals.map((literal, index) => [literal, values[index] as Buffer]),
    );
    const rewritten = rewrite(text, plan, protectedBy, parameterCount).toString('latin1');
    return { plan, parameterCount, rewritten };
  }

  /** Those of the client's, and a copy for each further use. @throws Refusal */
  async parameters(
    plan: Prepared,
    formats: readonly number[],
    values: readonly (Buffer | null)[],
    segment: number,
  ): Promise<Parameters> {
    const before = this.#executed.get(plan);
    if (before) this.#requireSame(before, this.#names.executedBy(plan, segment));
    if (!takesValues(plan)) return { formats, values };
    const protect = (use: ValueUse | undefined, index: number) => {
      const value = values[index] ?? null;
      return use ? this.#protector.parameter(use, value, isBinaryAt(formats, index)) : value;
    };
    const isOwn = (index: number) => plan.parameters.has(index + 1) || isBinaryAt(formats, index);
    return {
      formats: [...values.map((_, index) => +isOwn(index)), ...plan.copies.map(() => 1)],
      values: await this.#watch.protecting(plan, () =>
        Promise.all([
          ...values.map((_, index) => protect(plan.parameters.get(index + 1), index)),
          ...plan.copies.map(({ of, use }) => protect(use, of - 1)),
        ]),
      ),
    };
  }

  async #planOf(text: Buffer, segment: number): Promise<Plan> {
    const plan = await this.#judge.judge(text);
    if (plan.executes.length === 0) return plan;
    const executed = this.#names.executedBy(plan, segment);
    const known = await this.#judge.judge(text, executed);
    this.#executed.set(known, executed);
    return known;
  }

  /** Values were given to what the names of EXECUTE meant then. */
  #requireSame(before: PreparedStatements, now: PreparedStatements): void {
    if (before.size === now.size && [...before].every(([name, prepared]) => now.get(name) === prepared)) return;
    throw new Refusal('prepared-name', 'EXECUTE names a statement that is another one by now; parse it again');
  }
}
