/**
 * What `data reencrypt` does: passes over a table until one finds nothing under an old key, which is the proof. It knows nothing but what
 * is stored, so that it may end anywhere, and the same command goes on.
 */
import { StopRequested } from '../../../runtime/abort.ts';
import { LongValue } from '../long-value.ts';
import type { PageLimits } from '../page.ts';
import type { Progress, Throttle } from '../progress.ts';
import type { Sessions } from '../sessions.ts';
import type { Key } from '../table.ts';
import type { Views } from '../verify/views.ts';
import type { Fault, Left, Rewriting } from './rewriting.ts';
import { type FoundTarget, findTarget, type ReencryptTarget } from './target.ts';
import { NO_STATES, ReencryptWalk, type States, type Stepped } from './walk.ts';

export interface ReencryptContext {
  readonly sessions: Sessions<Views>;
  readonly limits: PageLimits;
  readonly progress: Progress;
  readonly throttle: Throttle;
  readonly signal: AbortSignal;
}

export interface ReencryptOptions {
  readonly target: ReencryptTarget;
  readonly schema: string | undefined;
  /** `check` and `try` write nothing. */
  readonly mode: 'reencrypt' | 'check' | 'try';
  readonly maxOffenders: number;
  readonly told: (text: string) => void;
}

/** keys/reencryption-proof.ts reads it. */
export interface ReencryptReport {
  /**
   * - `proved`: the last pass found every value under the current key, or none of the client's.
   * - `left`: it found others.
   * - `tried`: nothing was to be changed.
   * - `stopped`: by a signal; nothing is proved.
   */
  readonly outcome: 'proved' | 'left' | 'tried' | 'stopped';
  readonly clientId: string;
  readonly current: string;
  readonly old: readonly string[];
  readonly table: string;
  readonly columns: readonly string[];
  /** Those of AcraStructs, which do not say which key they are under: nothing is done with these, or proved of them; with AcraBlocks between them it is. */
  readonly untold: readonly string[];
  readonly rows: number;
  /** Values of the last pass. */
  readonly states: States;
  readonly written: number;
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
  /** The first ones. */
  readonly offenders: readonly Left[];
  readonly rowsPerSecond: number;
}

interface Pass {
  readonly rows: number;
  readonly states: States;
  readonly changed: number;
  readonly faults: ReadonlyMap<Fault, number>;
  readonly offenders: readonly Left[];
}

const added = (one: States, other: States): States => ({
  empty: one.empty + other.empty,
  current: one.current + other.current,
  old: one.old + other.old,
  other: one.other + other.other,
  form: one.form + other.form,
  untold: one.untold + other.untold,
});

/** Rows that others change while they are looked at are looked at again at once, and then in another pass. */
const MAX_REPEATS = 10;

class Tally {
  #states = NO_STATES;
  readonly #faults = new Map<Fault, number>();
  readonly #offenders: Left[] = [];
  readonly #maxOffenders: number;
  #rows = 0;
  #changed = 0;

  constructor(maxOffenders: number) {
    this.#maxOffenders = maxOffenders;
  }

  add({ rows, states, changed, left }: Stepped): void {
    this.#rows += rows;
    this.#changed += changed;
    this.#states = added(this.#states, states);
    for (const each of left) {
      this.#faults.set(each.fault, (this.#faults.get(each.fault) ?? 0) + 1);
      if (this.#offenders.length < this.#maxOffenders) this.#offenders.push(each);
    }
  }

  get pass(): Pass {
    return {
      rows: this.#rows,
      states: this.#states,
      changed: this.#changed,
      faults: this.#faults,
      offenders: this.#offenders,
    };
  }
}

async function pass(context: ReencryptContext, rewriting: Rewriting, options: ReencryptOptions): Promise<Pass> {
  const { sessions, limits, progress, throttle, signal } = context;
  const walk = new ReencryptWalk(rewriting, limits, options.mode === 'reencrypt');
  const tally = new Tally(options.maxOffenders);
  let [after, repeats] = [undefined as Key | undefined, 0];
  for (;;) {
    signal.throwIfAborted();
    const stepped = await sessions.use((views) => walk.step(views, after));
    const isRepeated = stepped.changed > 0 && repeats < MAX_REPEATS;
    repeats = isRepeated ? repeats + 1 : 0;
    if (!isRepeated) {
      tally.add(stepped);
      progress.add(stepped.rows);
    }
    await throttle.after(stepped.rows, signal);
    if (isRepeated) continue;
    after = stepped.next;
    if (after === undefined) return tally.pass;
  }
}

const MAX_PASSES = 50;

async function passes(context: ReencryptContext, found: FoundTarget, options: ReencryptOptions) {
  const { columns, ids } = options.target;
  let written = 0;
  const wrote = (values: number) => {
    written += values;
  };
  const rewriting = { table: found.table, columns, ids, long: new LongValue(), known: new WeakSet<Views>(), wrote };
  let [looked, estimated] = [0, found.relation.estimatedRows];
  for (let count = 1; ; count += 1) {
    const before = written;
    context.progress.expect(looked + estimated);
    const last = await pass(context, rewriting, options);
    looked += last.rows;
    estimated = last.rows;
    const isAgain = options.mode === 'reencrypt' && (written > before || last.changed > 0);
    if (!isAgain || count === MAX_PASSES) return { last, written };
    options.told(`${written} values are encrypted anew; looking at all of them once more …`);
  }
}

const emptyReport = ({ ids, table, columns, untold }: ReencryptTarget) => ({
  clientId: ids.clientId,
  current: ids.current,
  old: ids.old,
  table: table.name,
  columns: columns.map(({ name }) => name),
  untold,
  rows: 0,
  states: NO_STATES,
  written: 0,
  faults: {},
  offenders: [],
  rowsPerSecond: 0,
});

function outcomeOf({ mode }: ReencryptOptions, { states, faults, changed }: Pass): ReencryptReport['outcome'] {
  if (mode === 'try') return 'tried';
  return states.old === 0 && states.form === 0 && faults.size === 0 && changed === 0 ? 'proved' : 'left';
}

/** @throws CliError CLI_OPTION, CLI_DATABASE, CLI_DATA_OTHER_KEY, CLI_DATA_REFUSED */
export async function reencrypt(context: ReencryptContext, options: ReencryptOptions): Promise<ReencryptReport> {
  const { sessions, progress } = context;
  const { target, schema } = options;
  try {
    const found = await sessions.use((views) => findTarget(views, target, schema));
    const { last, written } = await passes(context, found, options);
    return {
      ...emptyReport(target),
      outcome: outcomeOf(options, last),
      rows: last.rows,
      states: last.states,
      written,
      faults: Object.fromEntries(last.faults),
      offenders: last.offenders,
      rowsPerSecond: Math.round(progress.rowsPerSecond),
    };
  } catch (error) {
    if (!(error instanceof StopRequested)) throw error;
    return { ...emptyReport(target), outcome: 'stopped' };
  }
}
