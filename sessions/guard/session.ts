/**
 * One client's session, from the front's opening to its end: the login at the database, then the conversation, both legs at once.
 *
 *   opening ──login──▶ conversing ──client or database ends, error, drain, end of the certificate──▶ ended
 *
 * What ends it is told to the client between two messages, and nothing follows. PostgreSQL 18, "Message Flow".
 */
import type { Duplex } from 'node:stream';
import { Conversation } from '../../acra/conversation/conversation.ts';
import type { AnswerSink } from '../../acra/conversation/row-answers.ts';
import type { StatementObserver } from '../../acra/conversation/statement-watch.ts';
import type { ValueProtector } from '../../acra/conversation/value-protector.ts';
import type { Sides } from '../../acra/migration/sides.ts';
import { type ColumnForm, columnFormIn } from '../../acra/own-settings.ts';
import { encodeError } from '../../postgres/error-response.ts';
import { MAX_UNAUTHENTICATED_BYTES, type Message } from '../../postgres/message-reader.ts';
import { BACKEND, FRONTEND, UNASKED } from '../../postgres/message-types.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { databaseOf } from '../../postgres/startup-message.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { type DatabaseDoor, type Entered, enterDatabase } from '../edge/enter-database.ts';
import { isWrongPassword, LoginRefused } from '../edge/login.ts';
import type { HeldBytes } from '../held-bytes.ts';
import { MessageStream } from '../message-stream.ts';
import type { SessionOpening } from '../opening.ts';
import { leave } from '../say-goodbye.ts';
import { untilWallTime } from '../until-wall-time.ts';
import { writeAll } from '../write-all.ts';
import type { Access, OpenAccess } from './access.ts';
import { endOfSide, judgeFor, type SidedJudge, type Switches } from './sides.ts';

export interface SessionDeps extends DatabaseDoor {
  /** Lets the client of this packet log in. */
  readonly openAccess: OpenAccess;
  readonly judge: SidedJudge;
  /** Default: nothing is between. */
  readonly switches?: Switches;
  /** For clients that have protected columns so. */
  readonly protectors: Readonly<Record<ColumnForm, ValueProtector>>;
  /** Default: what the judge refuses is refused. */
  readonly isReporting?: boolean;
  readonly observer?: StatementObserver;
  /** For the long messages of all clients together; one that finds none is refused, and the session lives. */
  readonly room: HeldBytes;
  /** From clients; a longer one is refused, and the session lives. */
  readonly maxMessageBytes: number;
}

interface Conversing {
  readonly database: MessageStream;
  readonly conversation: Conversation;
}

const REFUSED_BY = 'refused by acra-enclave';
const WORDS = 'terminating connection due to administrator command';
const draining = () => new SessionError('57P01', WORDS);
/** transaction_resolution_unknown: the database may do what it was asked, though nobody will hear of it. */
const unresolved = () => new SessionError('08007', `${WORDS}: whether what was under way is done is not known`);

/** Nobody is left to be told. */
class SessionEnded extends SessionError {
  constructor() {
    super('00000', 'the session has ended');
  }
}

export class GuardedSession {
  readonly #deps: SessionDeps;
  readonly #client: MessageStream;
  /** Undefined before there is a session at the database. */
  #conversation: Conversation | undefined;
  readonly #ending = new AbortController();
  #database: MessageStream | undefined;
  #sides: Sides | undefined;
  /** As of the database's last answer. */
  #isIdle = false;
  /** Something of the client's is being judged. */
  #isAsking = false;
  #isDraining = false;

  constructor(socket: Duplex, deps: SessionDeps) {
    this.#deps = deps;
    this.#client = new MessageStream(socket, {
      maxBytes: MAX_UNAUTHENTICATED_BYTES,
      ifLonger: 'skip',
      room: deps.room,
    });
    socket.once('close', () => this.#end(new SessionEnded()));
  }

  /** Until either side ends. Never rejects. @returns why it ended, where that was a fault */
  async serve(opening: SessionOpening): Promise<unknown> {
    this.#endWithCertificate(opening.certificateEndsMs).catch(() => undefined);
    try {
      await this.#converse(await this.#open(opening));
      return undefined;
    } catch (error) {
      return this.#sayWhy(error);
    } finally {
      this.#end(new SessionEnded());
      this.#conversation?.close();
      for (const leg of [this.#client, this.#database]) if (leg) leave(leg, this.#deps.clock);
    }
  }

  /** Ends it as soon as the database owes nothing, and no transaction is open. */
  drain(): void {
    this.#isDraining = true;
    this.#drainIfIdle();
  }

  /** Ends it now, between two messages. 57P01 says that nothing was under way: whoever gets it may ask again. */
  cut(): void {
    this.#end(this.#conversation?.isBusy === true ? unresolved() : draining());
  }

  async #open({ startup, loginMs, channelBinding }: SessionOpening): Promise<Conversing> {
    const { clock, openAccess, maxMessageBytes, switches, protectors } = this.#deps;
    const columnForm = columnFormIn(startup);
    const tooLate = () => new SessionError('57014', 'canceling authentication due to timeout');
    using deadline = new Deadline(clock, loginMs, this.#ending.signal, tooLate);
    using access = await openAccess(startup, this.#client, deadline.signal, channelBinding ?? undefined);
    const { database, greeting } = await this.#enter(startup, access, deadline.signal);
    this.#database = database;
    this.#sides = await switches?.sidesOf(database, databaseOf(startup), deadline.signal);
    this.#client.maxBytes = maxMessageBytes;
    const protector = protectors[columnForm];
    const judge = judgeFor(this.#deps.judge, this.#sides);
    const conversation = new Conversation({ ...this.#deps, judge, protector, columnForm, refusedBy: REFUSED_BY });
    this.#conversation = conversation;
    await this.#toClient(conversation, greeting);
    conversation.loggedIn();
    return { database, conversation };
  }

  async #enter(startup: SessionOpening['startup'], access: Access, signal: AbortSignal): Promise<Entered> {
    try {
      return await enterDatabase(this.#deps, startup, access.ways, signal);
    } catch (error) {
      if (isWrongPassword(error)) access.refused?.();
      throw error;
    }
  }

  /** A client that has said all it has to say may still read; a database that ends leaves nothing to read. */
  async #converse(between: Conversing): Promise<void> {
    const { database, conversation } = between;
    const sink: AnswerSink = {
      deliver: (frames) => writeAll(this.#client.socket, frames, this.#ending.signal),
      failed: (error) => this.#ending.abort(error),
    };
    const answering = database
      .each((messages) => this.#toClient(conversation, messages, sink))
      .then(() => conversation.answered());
    const asking = this.#client.each((messages) => this.#toDatabase(between, messages));
    for (const each of [answering, asking]) each.catch((error: unknown) => this.#ending.abort(error));
    await untilAborted(Promise.race([answering, asking.then(() => answering)]), this.#ending.signal);
  }

  async #toClient(conversation: Conversation, messages: readonly Message[], sink?: AnswerSink): Promise<void> {
    const end = this.#sides && endOfSide(messages, this.#sides);
    if (end) {
      // What came before it is still the client's.
      const answers = await conversation.fromDatabase(messages.slice(0, end.at));
      await writeAll(this.#client.socket, answers, this.#ending.signal);
      throw end.reason;
    }
    const answers = await conversation.fromDatabase(messages, sink);
    await writeAll(this.#client.socket, answers, this.#ending.signal);
    for (const { type, body } of messages) {
      if (UNASKED.includes(type)) continue;
      this.#isIdle = type === BACKEND.readyForQuery && body.toString('latin1') === 'I';
    }
    this.#drainIfIdle();
  }

  async #toDatabase({ database, conversation }: Conversing, messages: readonly Message[]): Promise<void> {
    this.#isIdle = false;
    this.#isAsking = true;
    const sent: Buffer[] = [];
    const write = (part: Buffer) => writeAll(database.socket, [...sent.splice(0), part], this.#ending.signal);
    for (const message of messages) sent.push(await conversation.fromClient(message, write));
    await writeAll(database.socket, sent, this.#ending.signal);
    this.#isAsking = false;
    if (messages.some(({ type }) => type === FRONTEND.terminate)) this.#end(new SessionEnded());
  }

  #drainIfIdle(): void {
    const isIdle = this.#isIdle && !this.#isAsking && !this.#conversation?.isBusy;
    if (this.#isDraining && isIdle) this.#end(draining());
  }

  async #endWithCertificate(endsMs: number): Promise<void> {
    await untilWallTime(endsMs, this.#deps.clock, this.#ending.signal);
    this.#end(new SessionError('28000', 'the client certificate has expired'));
  }

  /** The first reason counts. */
  #end(reason: SessionError): void {
    this.#ending.abort(reason);
  }

  #sayWhy(error: unknown): unknown {
    const { socket } = this.#client;
    if (error instanceof SessionEnded) return undefined;
    if (error instanceof LoginRefused) {
      socket.write(error.frame);
      return error;
    }
    const isTold = error instanceof SessionError;
    const { sqlState, message } = isTold ? error : { sqlState: 'XX000', message: 'an error of acra-enclave itself' };
    if (socket.writable) socket.write(encodeError('FATAL', sqlState, message));
    return error;
  }
}
