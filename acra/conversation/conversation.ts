/**
 * One session's messages in both directions (PostgreSQL 18, "Message Flow"): what the client asks for is judged and
 * rewritten, and the queue of requests tells what an answer is to be read with.
 *
 * A refusal fails in the database too: a statement that always fails and holds no value goes in the place of the refused one, so
 * that order, transaction state and skipping up to Sync stay PostgreSQL's own; its error is replaced by ours. Only rows that cannot be
 * read have no such place: the error goes to the client, and what the database still says up to ReadyForQuery is left out.
 */
import { isAscii } from 'node:buffer';
import { encodeError, parseError } from '../../postgres/error-response.ts';
import type { Message } from '../../postgres/message-reader.ts';
import { BACKEND, FRONTEND, UNASKED } from '../../postgres/message-types.ts';
import * as messages from '../../postgres/messages.ts';
import { type PendingRequest, ReplyQueue } from '../../postgres/reply-queue.ts';
import { readsAsUtf8, requireSafeSetting } from '../../postgres/unsafe-settings.ts';
import type { LiteralEdit } from '../statements/draft.ts';
import type { Plan } from '../statements/judge.ts';
import { Refusal } from '../statements/refusal.ts';
import { rewrite } from '../statements/rewrite.ts';
import { refuseTooLong, requireOfSession, requireWanted } from './belonging.ts';
import { cellKinds, describedTypes, parameterTypes } from './result-types.ts';
import { Statements } from './statements.ts';
import type { ValueProtector } from './value-protector.ts';

interface Request extends PendingRequest {
  /** Of the prepared statement. */
  readonly name?: string;
  readonly plan?: Plan | undefined;
  readonly resultFormats?: readonly number[];
  /** What the client is told in place of the error that the trap raises. */
  readonly refusal?: Refusal;
  /** How many Syncs the client had sent before. */
  readonly segment?: number;
  /** From the RowDescription that answered a simple query. */
  fields?: readonly messages.ResultField[];
}

export interface Judge {
  /** @throws Refusal */
  judge(sql: Buffer): Promise<Plan>;
}

export interface ConversationOptions {
  readonly judge: Judge;
  readonly protector: ValueProtector;
  /** Begins what the client is told of a refusal. */
  readonly refusedBy: string;
}

/** A syntax error, also where a transaction has failed already. */
const TRAP = "'acra refused'";
const SYNTAX_ERROR = '42601';
/** Of the statement that a trap would be, where the client's own has no name or one that was not read. */
const NOBODYS_NAME = 'acra refused';

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #portals = new Map<string, Pick<Request, 'plan' | 'resultFormats'>>();
  readonly #statements = new Statements<Request>();
  readonly #queue = new ReplyQueue<Request>((dropped) => this.#statements.dropped(dropped));
  #isLoggedIn = false;
  #segment = 0;
  /** After rows that could not be read. */
  #isSilent = false;
  /** Whether the database takes a character beyond ASCII for the one that we do. */
  #readsAsUtf8 = true;

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  /** From now on whatever belongs to a login ends the session. */
  loggedIn(): void {
    this.#isLoggedIn = true;
  }

  /** Whether the database owes an answer. */
  get isBusy(): boolean {
    return !this.#queue.isEmpty;
  }

  /** One message at a time. @returns what the database gets instead. @throws SessionError */
  async fromClient(message: Message): Promise<Buffer> {
    if (this.#isLoggedIn) requireOfSession(message.type, 'client');
    const isTooLong = message.skippedBytes !== undefined;
    try {
      return isTooLong ? refuseTooLong(message) : await this.#request(message);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (message.type === FRONTEND.query) return this.#send({ kind: 'query', refusal }, messages.QUERY.encode(TRAP));
      if (message.type === FRONTEND.functionCall)
        return this.#send({ kind: 'functionCall', refusal }, messages.QUERY.encode(TRAP));
      const isNamed = message.type === FRONTEND.parse && !isTooLong;
      const name = isNamed ? messages.PARSE.decode(message.body)[0] : NOBODYS_NAME;
      return this.#send({ kind: 'parse', name, refusal }, messages.PARSE.encode(name, TRAP, []));
    }
  }

  /** One call at a time. @param all in order @returns what the client gets instead. @throws SessionError */
  async fromDatabase(all: readonly Message[]): Promise<readonly Buffer[]> {
    const answers: Buffer[] = [];
    for (let at = 0; at < all.length; ) {
      const end = endOfRows(all, at);
      const message = all[at];
      if (end > at) answers.push(...(await this.#rows(all.slice(at, end))));
      else if (message) answers.push(...this.#answer(message));
      at = Math.max(end, at + 1);
    }
    return answers;
  }

  #answer(message: Message): readonly Buffer[] {
    const { type, body } = message;
    if (this.#isLoggedIn) requireOfSession(type, 'database');
    requireWanted(type, this.#queue.current?.plan?.copiesIn);
    const request = this.#queue.answered(type);
    if (type === BACKEND.parameterStatus) this.#takeSetting(...messages.PARAMETER_STATUS.decode(body));
    const answer = this.#answerTo(request, message);
    if (type === BACKEND.readyForQuery) this.#isSilent = false;
    return this.#isSilent && !UNASKED.includes(type) ? [] : [answer];
  }

  #takeSetting(name: string, value: string): void {
    requireSafeSetting(name, value);
    if (name === 'client_encoding') this.#readsAsUtf8 = readsAsUtf8(value);
  }

  #answerTo(request: Request | undefined, { type, frame, body }: Message): Buffer {
    switch (type) {
      case BACKEND.parseComplete:
        if (request) this.#statements.parsed(request);
        return frame;
      case BACKEND.closeComplete:
        if (request) this.#statements.closed(request);
        return frame;
      case BACKEND.parameterDescription:
        return messages.withTypes(frame, parameterTypes(request?.plan));
      case BACKEND.rowDescription:
        return this.#describeRow(frame, body, request ?? { kind: 'describe' });
      case BACKEND.errorResponse:
        return this.#error(frame, body);
      case BACKEND.readyForQuery:
        this.#queue.ready();
        if (this.#queue.isEmpty && body.toString('latin1') === 'I') this.#portals.clear();
        return frame;
      default:
        return frame;
    }
  }

  #describeRow(frame: Buffer, body: Buffer, request: Request): Buffer {
    request.fields = messages.decodeResultFields(body);
    return messages.withTypes(frame, describedTypes(request, request.fields));
  }

  async #rows(rows: readonly Message[]): Promise<readonly Buffer[]> {
    const request = this.#queue.answered(BACKEND.dataRow);
    if (this.#isSilent) return [];
    try {
      const frames = rows.map(({ frame }) => frame);
      return await this.#options.protector.rows(frames, (count) => cellKinds(request, count));
    } catch (error) {
      // Behind it others may wait that the database carries out, and that the client would take for skipped.
      if (!(error instanceof Refusal && this.#queue.isLastOfSegment)) throw error;
      this.#isSilent = true;
      return [encodeError('ERROR', error.sqlState, error.message)];
    }
  }

  async #request({ type, frame, body }: Message): Promise<Buffer> {
    switch (type) {
      case FRONTEND.query:
        return this.#query(...messages.QUERY.decode(body));
      case FRONTEND.parse:
        return this.#parse(...messages.PARSE.decode(body));
      case FRONTEND.bind:
        return this.#bind(frame, ...messages.BIND.decode(body));
      case FRONTEND.describe:
        return this.#send({ kind: 'describe', ...this.#subject(body) }, frame);
      case FRONTEND.close:
        return this.#send({ kind: 'close', ...this.#subject(body) }, frame);
      case FRONTEND.execute:
        return this.#send({ kind: 'execute', ...this.#portals.get(messages.QUERY.decode(body)[0]) }, frame);
      case FRONTEND.functionCall:
        throw new Refusal('a function is called past SQL (FunctionCall); use a statement', '0A000');
      case FRONTEND.sync:
        this.#segment += 1;
        return this.#send({ kind: 'sync' }, frame);
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
        this.#queue.copyEnded();
        return frame;
      default:
        return frame;
    }
  }

  /** Of Describe and Close: `S` and a statement's name, or `P` and a portal's. */
  #subject(body: Buffer): Omit<Request, 'kind'> {
    const [name] = messages.QUERY.decode(body.subarray(1));
    const isStatement = body.toString('latin1', 0, 1) === 'S';
    return isStatement ? { name, plan: this.#plansOf(name).at(-1) } : (this.#portals.get(name) ?? {});
  }

  #send(request: Request, frame: Buffer): Buffer {
    if (request.kind === 'parse') this.#statements.parsing(request);
    this.#queue.sent(request);
    return frame;
  }

  #plansOf(name: string): (Plan | undefined)[] {
    return this.#statements.plansOf(name, this.#segment);
  }

  async #judged(sql: string): Promise<{ readonly plan: Plan; readonly rewritten: string }> {
    const text = Buffer.from(sql, 'latin1');
    if (!this.#readsAsUtf8 && !isAscii(text)) {
      throw new Refusal('with this client_encoding statements must be ASCII; set client_encoding to UTF8', '22021');
    }
    const plan = await this.#options.judge.judge(text);
    const executed = plan.executes.flatMap((name) => this.#plansOf(Buffer.from(name).toString('latin1')));
    if (executed.some(isProtected)) throw new Refusal('EXECUTE passes values for protected columns');
    if (plan.edits.length === 0) return { plan, rewritten: sql };
    const literals = plan.edits.filter(
      (edit): edit is LiteralEdit & (typeof plan.edits)[number] => edit.kind === 'literal',
    );
    const values = await Promise.all(literals.map((literal) => this.#options.protector.literal(literal)));
    const protectedBy = new Map<LiteralEdit, Buffer>(
      literals.map((literal, index) => [literal, values[index] as Buffer]),
    );
    return { plan, rewritten: rewrite(text, plan, protectedBy).toString('latin1') };
  }

  async #query(sql: string): Promise<Buffer> {
    const { plan, rewritten } = await this.#judged(sql);
    return this.#send({ kind: 'query', plan }, messages.QUERY.encode(rewritten));
  }

  async #parse(name: string, sql: string, oids: number[]): Promise<Buffer> {
    const { plan, rewritten } = await this.#judged(sql);
    const length = Math.max(oids.length, ...plan.parameters.keys());
    const oidAt = (index: number) => (plan.parameters.has(index + 1) ? messages.OIDS.bytea : (oids[index] ?? 0));
    const own = Array.from({ length }, (_, index) => oidAt(index));
    const request: Request = { kind: 'parse', name, plan, segment: this.#segment };
    return this.#send(request, messages.PARSE.encode(name, rewritten, own));
  }

  async #bind(
    frame: Buffer,
    ...[portal, name, formats, values, resultFormats]: ReturnType<typeof messages.BIND.decode>
  ): Promise<Buffer> {
    const plans = this.#plansOf(name);
    if (plans.length > 1 && plans.some(isProtected)) {
      throw new Refusal('a statement is bound while another one may be taking its name');
    }
    const [plan] = plans;
    this.#portals.set(portal, { plan, resultFormats });
    if (!isProtected(plan)) return this.#send({ kind: 'bind' }, frame);
    const ownValues = await Promise.all(
      values.map((value, index) => {
        const use = plan?.parameters.get(index + 1);
        const isBinary = messages.isBinaryAt(formats, index);
        return use ? this.#options.protector.parameter(use, value, isBinary) : value;
      }),
    );
    const ownFormats = values.map(
      (_, index) => +(plan?.parameters.has(index + 1) || messages.isBinaryAt(formats, index)),
    );
    return this.#send({ kind: 'bind' }, messages.BIND.encode(portal, name, ownFormats, ownValues, resultFormats));
  }

  #error(frame: Buffer, body: Buffer): Buffer {
    const { refusal } = this.#queue.failed() ?? {};
    const isTrap = refusal !== undefined && parseError(body).sqlState === SYNTAX_ERROR;
    return isTrap ? encodeError('ERROR', refusal.sqlState, `${this.#options.refusedBy}: ${refusal.message}`) : frame;
  }
}

/** Behind the last of the DataRows that follow one another from there on. */
function endOfRows(all: readonly Message[], from: number): number {
  let at = from;
  while (all[at]?.type === BACKEND.dataRow) at += 1;
  return at;
}

function isProtected(plan: Plan | undefined): boolean {
  return plan !== undefined && plan.parameters.size > 0;
}
