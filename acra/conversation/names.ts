/**
 * What the names of a session mean that SQL makes: PREPARE and DECLARE, beside the protocol's own Parse. A name means what the
 * database has confirmed, or may mean what is still under way.
 */
import type { Effect, Prepared, PreparedStatements } from '../statements/plan.ts';
import { RefusedText } from '../statements/refused-text.ts';
import { takesValues } from '../statements/value-use.ts';
import { type ParseRequest, Statements } from './statements.ts';

/** feature_not_supported. */
const SQL_STATE = '0A000';

/** Names in the protocol's messages are read as latin1 (postgres/messages.ts). */
const wireName = (name: string) => Buffer.from(name).toString('latin1');

interface Making {
  readonly effect: Effect;
  readonly entry: ParseRequest;
}

/** The effects of one text that was sent, in order. */
export interface PendingEffects {
  readonly makings: readonly Making[];
}

const isProtected = (prepared: Prepared) =>
  takesValues(prepared) || prepared.results.some((outputs) => outputs.some((output) => typeof output === 'object'));

/** With what else the text does: it may pass (`guard.mode: report`). */
const refused = ({ kinds, streams, effects }: Prepared, reason: string) =>
  new RefusedText('prepared-name', reason, SQL_STATE, { kinds, streams, names: effects });

export class Names {
  readonly statements = new Statements();
  readonly #cursors = new Statements();

  /** A text is sent that makes names. @param segment how many Syncs the client has sent */
  sending({ effects }: Prepared, segment: number): PendingEffects | undefined {
    if (effects.length === 0) return undefined;
    const makings = effects.map((effect): Making => {
      const name = wireName(effect.name ?? '');
      const entry = 'prepared' in effect ? { name, plan: effect.prepared, segment } : { name, segment };
      this.#tableOf(effect)?.parsing(entry);
      return { effect, entry };
    });
    return { makings };
  }

  /** The database has carried out one of its statements. */
  done(pending: PendingEffects, at: number): void {
    for (const { effect, entry } of pending.makings.filter((making) => making.effect.at === at)) {
      this.#tableOf(effect)?.parsed(entry);
      if (effect.does === 'close') this.#cursors.forget(effect.name === undefined ? undefined : entry.name);
      if (effect.does === 'deallocate') this.statements.forget(effect.name === undefined ? undefined : entry.name);
    }
  }

  /** It has ended, whatever of it was carried out. */
  ended({ makings }: PendingEffects): void {
    for (const { effect, entry } of makings) this.#tableOf(effect)?.dropped(entry);
  }

  /** The statements that a text executes. @throws Refusal where a name may mean more than one, and values may be protected */
  executedBy(plan: Prepared, segment: number): PreparedStatements {
    return new Map(
      plan.executes.flatMap((name) => {
        const found = this.statements.plansOf(wireName(name), segment);
        const [first] = found;
        if (found.length > 1 && found.some(isProtected)) {
          throw refused(plan, 'a statement is executed while another one may be taking its name');
        }
        if (found.some(({ isAsWritten }) => isAsWritten)) {
          throw refused(plan, 'EXECUTE names a statement that would have been refused, and went as it was written');
        }
        return first ? [[name, first] as const] : [];
      }),
    );
  }

  /** The plan with what FETCH reads from cursors that were declared before it. @param portal that the protocol made */
  withFetched<Each extends Prepared>(
    plan: Each,
    segment: number,
    portal: (name: string) => Prepared | undefined,
  ): Each {
    if (plan.fetches.length === 0) return plan;
    const results = [...plan.results];
    for (const { at, name } of plan.fetches) {
      const own = plan.effects.findLast((each) => each.at < at && each.does === 'declare' && each.name === name);
      const declared = own && 'prepared' in own ? [own.prepared] : this.#cursors.plansOf(wireName(name), segment);
      const made = portal(wireName(name));
      const found = [...declared, ...(made ? [made] : [])];
      if (found.length > 1 && found.some(isProtected)) {
        throw refused(plan, 'a cursor is read while another one may have taken its name');
      }
      results[at] = found[0]?.results[0] ?? [];
    }
    return { ...plan, results };
  }

  #tableOf({ does }: Effect): Statements<ParseRequest> | undefined {
    if (does === 'prepare') return this.statements;
    return does === 'declare' ? this.#cursors : undefined;
  }
}
