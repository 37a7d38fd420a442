/**
 * One session's messages in both directions (PostgreSQL 18, "Message Flow"): what the client asks for is judged and
 * rewritten, and the queue of requests tells what an answer is to be read with.
 */

import type { Plan } from '../../acra/statements/judge.ts';
import { alignOutputs } from '../../acra/statements/outputs.ts';
import { Refusal } from '../../acra/statements/refusal.ts';
import { rewrite } from '../../acra/statements/rewrite.ts';
import { encodeError, parseError } from '../../postgres/error-response.ts';
import type { Message } from '../../postgres/message-reader.ts';
import { BACKEND, FRONTEND } from '../../postgres/message-types.ts';
import * as messages from '../../postgres/messages.ts';
import { type PendingRequest, ReplyQueue } from '../../postgres/reply-queue.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { Cipher } from './cipher.ts';
import { HashCheck } from './hash-check.ts';
import { type CellKind, RowReader } from './rows.ts';
import { protectLiteral, protectParameter } from './values.ts';

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

/**
 * Goes to the database in place of a refused statement, so that order, transaction state and skipping up to Sync stay
 * PostgreSQL's own: a syntax error, also where a transaction has failed already.
 */
const TRAP = "'acra refused'";
const SYNTAX_ERROR = '42601';
/** A byte of a character may look like a quote or backslash in them: we would read another statement than the database. */
const UNSAFE_ENCODINGS = /^(SJIS|SHIFT_JIS_2004|BIG5|GBK|GB18030|UHC|JOHAB)$/i;

export class Conversation {
  readonly #judge: Judge;
  readonly #cipher: Cipher;
  readonly #rows: RowReader;
  /** As far as the database confirmed them. */
  readonly #statements = new Map<string, Plan>();
  readonly #portals = new Map<string, Pick<Request, 'plan' | 'resultFormats'>>();
  readonly #parsing = new Set<Request>();
  readonly #queue = new ReplyQueue<Request>((dropped) => this.#parsing.delete(dropped));
  #segment = 0;
  isAuthenticated = false;

  /** @param isSearchable whether any column of the configuration is */
  constructor(judge: Judge, cipher: Cipher, isSearchable: boolean) {
    this.#judge = judge;
    this.#cipher = cipher;
    this.#rows = new RowReader(cipher, isSearchable ? new HashCheck(cipher) : undefined);
  }

  /** One message at a time. @returns what the database gets instead. @throws SessionError */
  async fromClient(message: Message): Promise<Buffer> {
    try {
      return await this.#request(message);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (message.type === FRONTEND.query) return this.#send({ kind: 'query', refusal }, messages.QUERY.encode(TRAP));
      const name = message.type === FRONTEND.parse ? messages.PARSE.decode(message.body)[0] : 'acra refused';
      return this.#send({ kind: 'parse', name, refusal }, messages.PARSE.encode(name, TRAP, []));
    }
  }

  /** @returns what the client gets instead. @throws SessionError */
  fromDatabase({ type, frame, body }: Message): Buffer {
    const request = this.#queue.answered(type);
    switch (type) {
      case BACKEND.authentication:
        this.isAuthenticated ||= body.length === 4 && body.readInt32BE() === 0;
        return frame;
      case BACKEND.parameterStatus:
        requireSafeSetting(...messages.PARAMETER_STATUS.decode(body));
        return frame;
      case BACKEND.parseComplete:
      case BACKEND.closeComplete:
        this.#completed(type, request);
        return frame;
      case BACKEND.parameterDescription:
        return messages.withTextOids(frame, textParameterOffsets(request?.plan));
      case BACKEND.rowDescription:
        return describeRow(frame, body, request);
      case BACKEND.dataRow:
        return this.#rows.reveal(frame, (count) => cellKinds(request, count));
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
        return this.#send({ kind: 'functionCall' }, frame);
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
    if (request.kind === 'parse') this.#parsing.add(request);
    this.#queue.sent(request);
    return frame;
  }

  async #planFor(sql: Buffer): Promise<Plan> {
    const plan = await this.#judge.judge(sql);
    const executed = plan.executes.flatMap((name) => this.#plansOf(Buffer.from(name).toString('latin1')));
    if (executed.some(isProtected)) throw new Refusal('EXECUTE passes values for protected columns');
    return plan;
  }

  #rewritten(text: Buffer, plan: Plan): string {
    return rewrite(text, plan, (literal) => protectLiteral(this.#cipher, literal)).toString('latin1');
  }

  async #query(sql: string): Promise<Buffer> {
    const text = Buffer.from(sql, 'latin1');
    const plan = await this.#planFor(text);
    const rewritten = this.#rewritten(text, plan);
    return this.#send({ kind: 'query', plan }, messages.QUERY.encode(rewritten));
  }

  async #parse(name: string, sql: string, oids: number[]): Promise<Buffer> {
    const text = Buffer.from(sql, 'latin1');
    const plan = await this.#planFor(text);
    const rewritten = this.#rewritten(text, plan);
    const length = Math.max(oids.length, ...plan.parameters.keys());
    const oidAt = (index: number) => (plan.parameters.has(index + 1) ? messages.OIDS.bytea : (oids[index] ?? 0));
    const own = Array.from({ length }, (_, index) => oidAt(index));
    const request: Request = { kind: 'parse', name, plan, segment: this.#segment };
    return this.#send(request, messages.PARSE.encode(name, rewritten, own));
  }

  #bind(
    frame: Buffer,
    ...[portal, name, formats, values, resultFormats]: ReturnType<typeof messages.BIND.decode>
  ): Buffer {
    const plans = this.#plansOf(name);
    if (plans.length > 1 && plans.some(isProtected)) {
      throw new Refusal('a statement is bound while another one may be taking its name');
    }
    const [plan] = plans;
    const ownValues = values.map((value, index) => {
      const use = plan?.parameters.get(index + 1);
      return use ? protectParameter(this.#cipher, use, value, messages.isBinaryAt(formats, index)) : value;
    });
    const ownFormats = values.map(
      (_, index) => +(plan?.parameters.has(index + 1) || messages.isBinaryAt(formats, index)),
    );
    this.#portals.set(portal, { plan, resultFormats });
    const isSame = !isProtected(plan);
    return this.#send(
      { kind: 'bind' },
      isSame ? frame : messages.BIND.encode(portal, name, ownFormats, ownValues, resultFormats),
    );
  }

  /** What a name may mean when the database gets to it. */
  #plansOf(name: string): (Plan | undefined)[] {
    const underWay = [...this.#parsing].filter((request) => request.name === name);
    const latest = underWay.at(-1);
    // Nothing that refers to it is carried out unless this Parse is: up to Sync an error skips both.
    if (name === '' && latest?.segment === this.#segment) return [latest.plan];
    return [
      ...new Set([
        ...(this.#statements.has(name) ? [this.#statements.get(name)] : []),
        ...underWay.map(({ plan }) => plan),
      ]),
    ];
  }

  #completed(type: string, request: Request | undefined): void {
    const { name, plan } = request ?? {};
    if (request) this.#parsing.delete(request);
    if (name === undefined || plan === undefined) return;
    if (type === BACKEND.parseComplete) this.#statements.set(name, plan);
    else if (plan === this.#statements.get(name)) this.#statements.delete(name);
  }

  #error(frame: Buffer, body: Buffer): Buffer {
    const { refusal } = this.#queue.failed() ?? {};
    const isTrap = refusal !== undefined && parseError(body).sqlState === SYNTAX_ERROR;
    return isTrap
      ? encodeError('ERROR', refusal.sqlState, `refused by the acra-server stand-in: ${refusal.message}`)
      : frame;
  }
}

function isProtected(plan: Plan | undefined): boolean {
  return plan !== undefined && plan.parameters.size > 0;
}

function requireSafeSetting(name: string, value: string): void {
  const isOff = name === 'standard_conforming_strings' && value !== 'on';
  const isUnsafe = isOff || (name === 'client_encoding' && UNSAFE_ENCODINGS.test(value));
  if (isUnsafe) throw new SessionError('22023', `${name} = ${value} would make statements ambiguous`);
}

/** Where a ParameterDescription has the types of parameters that are texts to the client. */
function textParameterOffsets(plan: Plan | undefined): number[] {
  const texts = [...(plan?.parameters ?? [])].filter(([, { column }]) => column.dataType === 'str');
  return texts.map(([number]) => messages.HEADER_BYTES + 2 + 4 * (number - 1));
}

function describeRow(frame: Buffer, body: Buffer, request: Request = { kind: 'describe' }): Buffer {
  const fields = messages.decodeResultFields(body);
  request.fields = fields;
  const kinds = cellKinds(request, fields.length);
  const texts = fields.filter((_, index) => kinds[index]?.column?.dataType === 'str').map(({ oidOffset }) => oidOffset);
  return messages.withTextOids(frame, texts);
}

/** What the statement says about the cells of a row, and, after a RowDescription, what the database says. */
function cellKinds({ plan, fields, resultFormats = [] }: Partial<Request> = {}, count: number): CellKind[] {
  return alignOutputs(plan?.outputs ?? [], count).map((column, index) => {
    const { typeOid = messages.OIDS.bytea, isBinary = messages.isBinaryAt(resultFormats, index) } =
      fields?.[index] ?? {};
    return { column: typeOid === messages.OIDS.bytea ? column : undefined, isBinary };
  });
}
