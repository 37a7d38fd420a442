/**
 * Keeps the plans of texts that were judged before: drivers send the same few, with parameters, again and again (decision 13). A verdict depends
 * on the text and on what never changes for a judge, where no names are known and no column is being encrypted. Whatever may hold a value is judged each time: a text with a constant in it, and one
 * whose plan is about other statements; but of a plain query the numbers that columns are compared with are left out (text-shape.ts). Of a text there is no more than a digest under a
 * random key: comments may say anything.
 */
import { createHmac } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';
import type { Sides } from '../migration/sides.ts';
import type { Plan, PreparedStatements } from './plan.ts';
import type { StatementJudge } from './statement-judge.ts';
import { shapeOf } from './text-shape.ts';

type Judge = Pick<StatementJudge, 'judge'>;

/** A longer text is judged in a thread of its own, and rare. */
const MAX_TEXT_BYTES = 2048;
/** Of plans and their keys, as `weightOf` estimates them. */
const MAX_KEPT_BYTES = 2 * 1024 * 1024;
/** Of an entry, and of each thing in a plan. */
const ENTRY_BYTES = 512;
const ITEM_BYTES = 128;
const KEY_BYTES = 32;

/** A string, a number, or dollar quotes, wherever they stand: of `$1` and `t1` the digits are none. */
const CONSTANT = /'|\$(?!\d)|(?<![\w$\x80-\xff])\d/;

/** A text, or the shape of one; no text is taken for a shape. */
interface Kept {
  readonly key: string;
  readonly isShape: boolean;
}

function keptAs(text: string): Kept | undefined {
  if (!CONSTANT.test(text)) return { key: `text ${text}`, isShape: false };
  const shape = shapeOf(text);
  return shape === undefined || CONSTANT.test(shape) ? undefined : { key: `shape ${shape}`, isShape: true };
}

function isKept({ edits, executes, effects, fetches, streams, kinds }: Plan, isShape: boolean): boolean {
  const ofOthers = executes.length + effects.length + fetches.length + streams.length;
  if (ofOthers > 0) return false;
  // Where an edit stands depends on the numbers before it.
  if (isShape) return edits.length === 0 && kinds.every((kind) => kind === 'select');
  return edits.every(({ kind }) => kind !== 'literal');
}

function weightOf({ edits, results, parameters, copies }: Plan): number {
  const outputs = results.reduce((sum, each) => sum + each.length, 0);
  return ENTRY_BYTES + ITEM_BYTES * (edits.length + outputs + parameters.size + copies.length);
}

export class PlanCache {
  readonly #judge: Judge;
  readonly #key: Buffer;
  /** The one that was asked for last is the last. */
  readonly #plans = new Map<string, { readonly plan: Plan; readonly bytes: number }>();
  #bytes = 0;

  constructor(judge: Judge, random: Random) {
    this.#judge = judge;
    this.#key = random.bytes(KEY_BYTES);
  }

  /** @returns a plan of its own for each call. @throws what the judge throws, each time anew */
  async judge(sql: Buffer, prepared?: PreparedStatements, sides?: Sides): Promise<Plan> {
    // Not of the text alone.
    const isOfMore = prepared !== undefined || sides !== undefined;
    const kept = isOfMore || sql.length > MAX_TEXT_BYTES ? undefined : keptAs(sql.toString('latin1'));
    if (!kept) return await this.#judge.judge(sql, prepared, sides);
    const digest = createHmac('sha256', this.#key).update(kept.key, 'latin1').digest('latin1');
    const known = this.#plans.get(digest);
    const plan = known?.plan ?? (await this.#judge.judge(sql));
    if (isKept(plan, kept.isShape)) this.#keep(digest, plan);
    return known ? { ...plan } : plan;
  }

  #keep(digest: string, plan: Plan): void {
    const bytes = weightOf(plan);
    this.#forget(digest);
    this.#plans.set(digest, { plan, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#plans.keys()) {
      if (this.#bytes <= MAX_KEPT_BYTES) break;
      this.#forget(oldest);
    }
  }

  #forget(digest: string): void {
    this.#bytes -= this.#plans.get(digest)?.bytes ?? 0;
    this.#plans.delete(digest);
  }
}
