/**
 * One made-up session through acra-server, of which we are both ends (PostgreSQL 18, "Extended Query"). A batch of tasks is one
 * round of messages up to a Sync:
 *
 *   store, search   Parse (once for each statement), Bind     acra-server changes the parameter   what the database's end gets
 *   reveal          Parse (once), Bind, Execute, for all      the database's end answers a row    what the client's end gets
 *
 * Only a Sync separates what is revealed: acra-server mixes up the types of results that are pipelined (acra-server contract 10).
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
import { EngineError } from '../errors.ts';
import type { EngineDatabase } from './database.ts';
import { type Question, questionsFor } from './made-up-insert.ts';
import { READY, startup, texts, WELCOME } from './made-up-login.ts';
import { MadeUpRow } from './made-up-row.ts';
import type { Answer, Task } from './task.ts';

const BINARY = 1;
const ALL_ROWS = 0;
/** acra-server keeps each as long as the session lasts; what comes beyond is parsed each time. */
const MAX_STATEMENTS = 256;
const UNNAMED = '';
/** Up to a Sync; a batch of as many tasks as there may be has some 130. */
const MAX_REPLIES = 1_024;

/** The session is of no more use; what it was asked was not answered. */
function connectionLost(reason: string): EngineError {
  return new EngineError('ENGINE_LOST', reason);
}

interface Round {
  readonly row: MadeUpRow | undefined;
  isRowSent: boolean;
  /** One value for each task that is to be protected. */
  readonly maxBound: number;
  /** The parameters as acra-server sent them on, in order. */
  readonly bound: Buffer[];
  revealed: readonly (Buffer | null)[] | undefined;
  isRefused: boolean;
  readonly settle: () => void;
  readonly fail: (reason: unknown) => void;
}

const PARSE_COMPLETE = messages.encodeMessage(BACKEND.parseComplete);
const BIND_COMPLETE = messages.encodeMessage(BACKEND.bindComplete);
const SELECTED = messages.encodeMessage(BACKEND.commandComplete, texts('SELECT 1'));
const UNKNOWN_STATEMENT = encodeError('ERROR', '42601', 'this statement is not known here');
const SYNC = messages.encodeMessage(FRONTEND.sync);

export class EngineConnection {
  readonly #client: Socket;
  readonly #database: Socket;
  readonly #lost = new AbortController();
  /** Statement names by their text. */
  readonly #names = new Map<string, string>();
  #round: Round | undefined;
  /** What the database's end says at the next Sync. */
  #replies: Buffer[] = [];
  /** After an error, up to the next Sync, as a database does. */
  #isSkipping = false;

  private constructor(client: Socket, database: Socket, maxBytes: number) {
    this.#client = client;
    this.#database = database;
    this.#listen(client, maxBytes, (each) => this.#fromAcra(each));
    this.#listen(database, maxBytes, (each) => this.#toDatabase(each));
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
   * @returns an answer for each task @throws EngineError ENGINE_LOST, or the signal's reason, after which the session must be closed
   */
  async run(tasks: readonly Task[], signal: AbortSignal): Promise<readonly Answer[]> {
    const reveals = tasks.filter((task) => task.kind === 'reveal');
    const row = reveals.length > 0 ? new MadeUpRow(reveals) : undefined;
    const questions = questionsFor(tasks.filter((task) => task.kind !== 'reveal'));
    const asked = row ? this.#askRow(row) : questions.flatMap((each) => this.#ask(each));
    const round = await this.#exchange({ row, maxBound: tasks.length }, Buffer.concat([...asked, SYNC]), signal);
    if (round.isRefused) return tasks.map(() => ({ kind: 'refused' }));
    const answers = row?.answers(round.revealed);
    if (row?.isTainted) this.close();
    return answers ?? answersTo(tasks, questions, whole(round.bound, tasks.length));
  }

  async #ready(): Promise<void> {
    await this.#exchange({ row: undefined, maxBound: 0 }, Buffer.alloc(0), this.lost);
  }

  async #exchange(asked: Pick<Round, 'row' | 'maxBound'>, frames: Buffer, signal: AbortSignal): Promise<Round> {
    this.lost.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const round: Round = {
      ...asked,
      isRowSent: false,
      bound: [],
      revealed: undefined,
      isRefused: false,
      settle: resolve,
      fail: reject,
    };
    this.#round = round;
    if (frames.length > 0) this.#client.write(frames);
    try {
      await untilAborted(promise, signal);
      return round;
    } catch (error) {
      // The last word before an end is an answer.
      if (round.isRefused) return round;
      throw error;
    } finally {
      this.#round = undefined;
    }
  }

  #ask({ statement, tasks }: Question): Buffer[] {
    const { frames, name } = this.#prepared(
      statement,
      tasks.map(() => messages.OIDS.bytea),
    );
    const values = tasks.map(({ value }) => value);
    return [...frames, messages.BIND.encode('', name, [BINARY], values, [])];
  }

  #askRow({ statement }: MadeUpRow): Buffer[] {
    const { frames, name } = this.#prepared(statement, []);
    const execute = messages.encodeMessage(FRONTEND.execute, Buffer.concat([texts(''), Buffer.alloc(4, ALL_ROWS)]));
    return [...frames, messages.BIND.encode('', name, [], [], [BINARY]), execute];
  }

  #prepared(sql: string, oids: number[]): { readonly frames: readonly Buffer[]; readonly name: string } {
    const known = this.#names.get(sql);
    if (known !== undefined) return { frames: [], name: known };
    const name = this.#names.size < MAX_STATEMENTS ? `q${this.#names.size}` : UNNAMED;
    if (name !== UNNAMED) this.#names.set(sql, name);
    const text = Buffer.from(sql).toString('latin1');
    return { frames: [messages.PARSE.encode(name, text, oids)], name };
  }

  #listen(socket: Socket, maxBytes: number, take: (message: Message) => void): void {
    const reader = new MessageReader({ isStartup: false, maxBytes });
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const each of reader.push(chunk)) take(each);
      } catch {
        this.close();
      }
    });
    socket.on('error', () => this.close()).once('close', () => this.close());
    socket.resume();
  }

  /** The database's end: what acra-server sends on. @throws EngineError ENGINE_LOST, SessionError 08P01 */
  #toDatabase({ type, body }: Message): void {
    if (type === FRONTEND.sync) {
      this.#database.write(Buffer.concat([...this.#replies, READY]));
      this.#replies = [];
      this.#isSkipping = false;
    } else if (this.#isSkipping) {
      return;
    } else if (type === FRONTEND.parse) {
      // A program that refuses a value may ask for something else in its place; the error ends that round.
      this.#isSkipping = !this.#isOurs(messages.PARSE.decode(body)[0]);
      this.#reply(this.#isSkipping ? UNKNOWN_STATEMENT : PARSE_COMPLETE);
    } else if (type === FRONTEND.bind) {
      this.#bind(messages.BIND.decode(body)[3]);
      this.#reply(BIND_COMPLETE);
    } else if (type === FRONTEND.execute) {
      this.#reply(messages.DATA_ROW.encode([...this.#rowOnce()]), SELECTED);
    }
  }

  #reply(...frames: readonly Buffer[]): void {
    this.#replies.push(...frames);
    if (this.#replies.length > MAX_REPLIES) throw connectionLost('acra-server asks its database without end');
  }

  #bind(values: readonly (Buffer | null)[]): void {
    const round = this.#round;
    if (!round) return;
    for (const value of values) if (value) round.bound.push(Buffer.from(value));
    if (round.bound.length > round.maxBound)
      throw connectionLost('acra-server sends more values than it was asked about');
  }

  /** Who asks for it again and again would have us hold as many copies. */
  #rowOnce(): readonly (Buffer | null)[] {
    const round = this.#round;
    if (!round?.row) return [];
    if (round.isRowSent) throw connectionLost('acra-server asks for a row again');
    round.isRowSent = true;
    return round.row.cells;
  }

  #isOurs(name: string): boolean {
    return name === UNNAMED || [...this.#names.values()].includes(name);
  }

  /** The client's end: what acra-server sends back. */
  #fromAcra({ type, body }: Message): void {
    const round = this.#round;
    if (!round) return;
    if (type === BACKEND.errorResponse) round.isRefused = true;
    if (type === BACKEND.dataRow)
      round.revealed = messages.DATA_ROW.decode(body)[0].map((cell) => cell && Buffer.from(cell));
    if (type === BACKEND.readyForQuery) round.settle();
  }
}

/** Exactly as many values as were asked about. @throws EngineError ENGINE_LOST for anything else: the ends are out of step */
function whole(values: readonly (Buffer | null)[] | undefined, count: number): readonly Buffer[] {
  const found = (values ?? []).filter((value) => value !== null);
  if (found.length === count) return found;
  throw connectionLost(`acra-server answered ${found.length} of ${count} values`);
}

/** @param bound values in the order of the questions */
function answersTo(tasks: readonly Task[], questions: readonly Question[], bound: readonly Buffer[]): Answer[] {
  const values = new Map<Task, Buffer>();
  let at = 0;
  for (const question of questions) {
    const own = bound.slice(at, at + question.tasks.length);
    at += own.length;
    if (!question.isProtected(own)) return tasks.map(() => ({ kind: 'refused' }));
    for (const [index, task] of question.tasks.entries()) values.set(task, own[index] as Buffer);
  }
  return tasks.map((task) => ({ kind: 'values', values: [values.get(task) as Buffer] }));
}
