/**
 * On which side of its switches a session is (decision 21): asked of the database before the client is let in, in the session itself, and
 * kept to for as long as it lives. A statement that comes too late meets its fence, and ends the session.
 */
import type { Judge } from '../../acra/conversation/judging.ts';
import type { Migration } from '../../acra/migration/migration.ts';
import { type CatalogueRow, readSides, type Sides, sideQuery } from '../../acra/migration/sides.ts';
import type { StatementJudge } from '../../acra/statements/statement-judge.ts';
import { parseError } from '../../postgres/error-response.ts';
import type { Message } from '../../postgres/message-reader.ts';
import { BACKEND } from '../../postgres/message-types.ts';
import * as messages from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { MessageStream } from '../message-stream.ts';

const UNDEFINED_COLUMN = '42703';
const MAX_ROWS = 10_000;

/** Judges as a session's side demands. */
export type SidedJudge = Pick<StatementJudge, 'judge'>;

/** What is known of all sessions of a guard. */
export class Switches {
  readonly #migrations: readonly Migration[];
  /** By database: what a session has found behind its switch. */
  readonly #seen = new Map<string, Set<Migration>>();

  constructor(migrations: readonly Migration[]) {
    this.#migrations = migrations;
  }

  /**
   * @param database that is logged in to, and owes nothing @param name of it
   * @returns undefined where nothing is between
   * @throws SessionError 08006, 08P01; 58000 where it takes a switch back
   */
  async sidesOf(database: MessageStream, name: string, signal: AbortSignal): Promise<Sides | undefined> {
    if (this.#migrations.length === 0) return undefined;
    const sides = readSides(this.#migrations, await ask(database, sideQuery(this.#migrations), signal));
    const seen = this.#seen.get(name) ?? new Set();
    this.#seen.set(name, seen);
    const back = [...sides.plain, ...sides.unprepared].find((migration) => seen.has(migration));
    if (back)
      throw new SessionError(
        '58000',
        `table "${back.table}" was switched to its protected column, and is not any more`,
      );
    for (const each of this.#migrations)
      if (!sides.plain.includes(each) && !sides.unprepared.includes(each)) seen.add(each);
    return sides;
  }
}

async function ask(database: MessageStream, sql: string, signal: AbortSignal): Promise<readonly CatalogueRow[]> {
  const rows: CatalogueRow[] = [];
  database.socket.write(messages.QUERY.encode(sql));
  for (;;) {
    const { type, body } = await database.next(signal);
    if (type === BACKEND.readyForQuery) return rows;
    if (type === BACKEND.errorResponse)
      throw new SessionError('08006', 'the database does not tell which columns a table has');
    if (type !== BACKEND.dataRow) continue;
    rows.push(messages.DATA_ROW.decode(body)[0].map((cell) => cell?.toString() ?? null));
    if (rows.length > MAX_ROWS) throw new SessionError('08P01', 'the database tells of more columns than there can be');
  }
}

/** The session's own. */
export function judgeFor(judge: SidedJudge, sides: Sides | undefined): Judge {
  return sides ? { judge: (sql, prepared) => judge.judge(sql, prepared, sides) } : judge;
}

interface End {
  /** Which message says so. */
  readonly at: number;
  readonly reason: SessionError;
}

/** @returns why a session ends that the database has said this to, if it does: a statement met its fence */
export function endOfSide(said: readonly Message[], { plain }: Sides): End | undefined {
  for (const [at, { type, body }] of said.entries()) {
    if (type !== BACKEND.errorResponse) continue;
    const { sqlState, message } = parseError(body);
    if (sqlState !== UNDEFINED_COLUMN) continue;
    // Without the quotes, which are those of the database's language (lc_messages).
    const met = plain.find(({ beside }) => message.includes(beside));
    if (met)
      return {
        at,
        reason: new SessionError('57P01', `table "${met.table}" was switched to its protected column: connect again`),
      };
  }
  return undefined;
}
