/**
 * One made-up session through acra-server, of which we are both ends (PostgreSQL 18, "Extended Query"). A batch of tasks is one
 * round of messages:
 *
 *   store, search   Bind, for each statement     acra-server changes the parameters     what the database's end gets
 *   reveal          Execute, for all             the database's end answers a row       what the client's end gets
 *
 * acra-server reads, and sends on, each message by itself: the fewer there are, the cheaper is a round. So a portal for what is revealed is bound once, and a
 * round ends with the last BindComplete, or CommandComplete. Only where a statement is new a Parse, and that Bind, come first, and a Sync comes last.
 * Rounds never overlap: acra-server mixes up the types of results that are pipelined (acra-server contract 10).
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import { encodeError } from '../../postgres/error-response.ts';
import { type Message, MessageReader } from '../../postgres/message-reader.ts';
import { BACKEND, FRONTEND } from '../../postgres/message-types.ts';
import * as messages from '../../postgres/messages.ts';
import { untilAborted } from '../../runtime/abort.ts';
import type { TcpEndpoint, UnixEndpoint } from '../../wire/endpoint.ts';
import type { EngineDatabase } from './database.ts';
import { type Question, questionsFor } from './made-up-insert.ts';
import { IN_TRANSACTION, startup, texts, WELCOME } from './made-up-login.ts';
import { MadeUpRow } from './made-up-row.ts';
import { type Asked, connectionLost, endOf, Round } from './round.ts';
import type { Answer, Task } from './task.ts';

const BINARY = 1;
const ALL_ROWS = 0;
/** acra-server keeps each as long as the session lasts; what comes beyond is parsed each time. */
const MAX_STATEMENTS = 256;
/** Of a statement; of a portal, one that acra-server forgets, and overwrites, with the next. */
const UNNAMED = '';
/** Of one round; a batch of as many tasks as there may be has some 130. */
const MAX_REPLIES = 1_024;

const PARSE_COMPLETE = messages.encodeMessage(BACKEND.parseComplete);
const BIND_COMPLETE = messages.encodeMessage(BACKEND.bindComplete);
const SELECTED = messages.encodeMessage(BACKEND.commandComplete, texts('SELECT 1'));
const UNKNOWN_STATEMENT = encodeError('ERROR', '42601', 'this statement is not known here');
const SYNC = messages.encodeMessage(FRONTEND.sync);

interface Prepared {
  readonly name: string;
  /** Parse, where it is new. */
  readonly frames: readonly Buffer[];
}

export class EngineConnection {
  readonly #client: Socket;
  readonly #database: Socket;
  readonly #lost = new AbortController();
  /** Statement names by their text. */
  readonly #names = new Map<string, string>();
  #round: Round | undefined;
  /** What the database's end says as soon as it is due. */
  #replies: Buffer[] = [];
  #isDue = false;
  /** After an error, up to the next Sync, as a database does. */
  #isSkipping = false;

  private constructor(client: Socket, database: Socket, maxBytes: number) {
    this.#client = client;
    this.#database = database;
    this.#listen(client, maxBytes, (each) => this.#fromAcra(each));
    this.#listen(
      database,
      maxBytes,
      (each) => this.#toDatabase(each),
      () => this.#sendReplies(),
    );
    database.write(WELCOME);
  }

  /** Aborts when the session has ended, for whatever reason. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * @param maxBytes of one message: what a batch may hold, and what acra-server adds
   * @throws EngineError ENGINE_LOST, or the signal's reason
   */
  static async open(
    acra: TcpEndpoint | UnixEndpoint,
    database: EngineDatabase,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<EngineConnection> {
    const client = createConnection(acra);
    client.setNoDelay();
    const failed = new AbortController();
    const fail = () => failed.abort(connectionLost('acra-server took no session'));
    client.on('error', fail).once('close', fail);
    try {
      const both = AbortSignal.any([signal, failed.signal]);
      await untilAborted(once(client, 'connect'), both);
      const expected = database.expect(both);
      client.write(startup(expected.secret));
      const opened = new EngineConnection(client, await expected.arrived, maxBytes);
      await untilAborted(opened.#ready(), both);
      return opened;
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  close(): void {
    this.#client.destroy();
    this.#database.destroy();
    const lost = connectionLost('the session through acra-server ended');
    this.#lost.abort(lost);
    this.#round?.fail(lost);
  }

  /**
   * One round at a time: tasks to store and search, or tasks to reveal of one table.
   * Ends with the session, at the latest.
   * @returns an answer for each task @throws EngineError ENGINE_LOST, after which the session must be closed
   */
  async run(tasks: readonly Task[]): Promise<readonly Answer[]> {
    const reveals = tasks.filter((task) => task.kind === 'reveal');
    const row = reveals.length > 0 ? new MadeUpRow(reveals) : undefined;
    const questions = row ? [] : questionsFor(tasks.filter((task) => task.kind !== 'reveal'));
    const asked: Asked = { row, questions, maxBound: tasks.length };
    const prepared = row ? [this.#prepared(row.statement, [])] : questions.map((each) => this.#preparedFor(each));
    const isNew = prepared.some(({ frames }) => frames.length > 0);
    const frames = row
      ? this.#askRow(prepared[0] as Prepared)
      : questions.flatMap((each, at) => this.#ask(each, prepared[at] as Prepared));
    const round = new Round(asked, endOf(asked, isNew));
    await this.#exchange(round, isNew ? [...frames, SYNC] : frames);
    const answers = round.answersTo(tasks);
    if (row?.isTainted) this.close();
    return answers;
  }

  async #ready(): Promise<void> {
    const nothing: Asked = { row: undefined, questions: [], maxBound: 0 };
    const round = new Round(nothing, endOf(nothing, true));
    await this.#exchange(round, []);
    if (round.isRefused) throw connectionLost('acra-server refuses a session');
  }

  async #exchange(round: Round, frames: readonly Buffer[]): Promise<void> {
    this.lost.throwIfAborted();
    this.#round = round;
    const [first] = frames;
    if (first) this.#client.write(frames.length === 1 ? first : Buffer.concat(frames));
    try {
      await round.over;
    } catch (error) {
      // The last word before an end is an answer.
      if (!round.isRefused) throw error;
    } finally {
      this.#round = undefined;
    }
  }

  #preparedFor({ statement, tasks }: Question): Prepared {
    return this.#prepared(
      statement,
      tasks.map(() => messages.OIDS.bytea),
    );
  }

  #ask({ tasks }: Question, { frames, name }: Prepared): Buffer[] {
    const values = tasks.map(({ value }) => value);
    return [...frames, messages.BIND.encode(UNNAMED, name, [BINARY], values, [])];
  }

  /** The portal has the statement's name. */
  #askRow({ frames, name }: Prepared): Buffer[] {
    const bind = frames.length > 0 ? [messages.BIND.encode(name, name, [], [], [BINARY])] : [];
    const execute = messages.encodeMessage(FRONTEND.execute, Buffer.concat([texts(name), Buffer.alloc(4, ALL_ROWS)]));
    return [...frames, ...bind, execute];
  }

  #prepared(sql: string, oids: number[]): Prepared {
    const known = this.#names.get(sql);
    if (known !== undefined) return { frames: [], name: known };
    const name = this.#names.size < MAX_STATEMENTS ? `q${this.#names.size}` : UNNAMED;
    if (name !== UNNAMED) this.#names.set(sql, name);
    const text = Buffer.from(sql).toString('latin1');
    return { frames: [messages.PARSE.encode(name, text, oids)], name };
  }

  /** @param then behind all that has come at once */
  #listen(socket: Socket, maxBytes: number, take: (message: Message) => void, then = () => {}): void {
    const reader = new MessageReader({ isStartup: false, maxBytes });
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const each of reader.push(chunk)) take(each);
        then();
      } catch {
        this.close();
      }
    });
    socket.on('error', () => this.close()).once('close', () => this.close());
    socket.resume();
  }

  /** The database's end: what acra-server sends on. @throws EngineError ENGINE_LOST, SessionError 08P01 */
  #toDatabase({ type, body }: Message): void {
    const round = this.#roundNow();
    if (type === FRONTEND.sync) {
      this.#reply(IN_TRANSACTION);
      this.#isSkipping = false;
    } else if (this.#isSkipping) {
      return;
    } else if (type === FRONTEND.parse) {
      // A program that refuses a value may ask for something else in its place; the error ends that round.
      this.#isSkipping = !this.#isOurs(messages.PARSE.decode(body)[0]);
      this.#reply(this.#isSkipping ? UNKNOWN_STATEMENT : PARSE_COMPLETE);
    } else if (type === FRONTEND.bind) {
      round.bind(messages.BIND.decode(body)[3]);
      this.#reply(BIND_COMPLETE);
    } else if (type === FRONTEND.execute) {
      this.#reply(messages.DATA_ROW.encode([...round.rowOnce()]), SELECTED);
    }
    const { replies } = round.end;
    const isWhole = replies !== undefined && (this.#isSkipping || this.#replies.length >= replies);
    this.#isDue ||= isWhole || type === FRONTEND.sync;
  }

  #reply(...frames: readonly Buffer[]): void {
    this.#replies.push(...frames);
    if (this.#replies.length > MAX_REPLIES) throw connectionLost('acra-server asks its database without end');
  }

  /** Behind what has come at once: of a program that goes on asking, all is dropped. */
  #sendReplies(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#database.write(Buffer.concat(this.#replies));
    this.#replies = [];
  }

  #isOurs(name: string): boolean {
    return name === UNNAMED || [...this.#names.values()].includes(name);
  }

  /** @throws EngineError ENGINE_LOST for what belongs to no round */
  #roundNow(): Round {
    if (this.#round) return this.#round;
    throw connectionLost('acra-server says what nobody has asked for');
  }

  /** The client's end: what acra-server sends back. @throws EngineError ENGINE_LOST */
  #fromAcra({ type, body }: Message): void {
    const round = this.#roundNow();
    if (type === BACKEND.errorResponse) round.isRefused = true;
    if (type === BACKEND.dataRow)
      round.revealed = messages.DATA_ROW.decode(body)[0].map((cell) => cell && Buffer.from(cell));
    if (!round.isEndedBy(type) && !round.isRefused) return;
    this.#round = undefined;
    round.settle();
  }
}
