/**
 * One session's messages in both directions (PostgreSQL manual, "Message Flow"). A queue of what the client asked for,
 * in order, tells which answer belongs to which request, also when requests are pipelined.
 */

import { analyse, type Plan } from '../../acra/statements/analyse.ts';
import { alignOutputs } from '../../acra/statements/outputs.ts';
import { Refusal } from '../../acra/statements/refusal.ts';
import type { Tables } from '../../acra/statements/scope.ts';
import { protectValue } from '../../acra/statements/values.ts';
import type { Message } from '../../postgres/message-reader.ts';
import * as messages from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { Cipher } from './cipher.ts';
import { type CellKind, revealRow } from './rows.ts';
import { trappedRefusal, trapStatement } from './trap.ts';

interface Request {
  /** The type of the client's message. */
  readonly kind: string;
  /** Of the prepared statement. */
  readonly name?: string;
  readonly plan?: Plan | undefined;
  readonly resultFormats?: readonly number[];
  /** From the RowDescription that answered a simple query. */
  fields?: readonly messages.ResultField[];
}

/** Types of answers with the requests that they answer. */
const ANSWERS: Record<string, string> = {
  1: 'P',
  2: 'B',
  3: 'C',
  t: 'D',
  n: 'D',
  T: 'DQ',
  D: 'EQ',
  C: 'EQ',
  I: 'EQ',
  s: 'E',
};
/** More answers to the same Describe or Execute follow. */
const NOT_LAST_ANSWERS = ['t', 'D'];
/** A byte of a character may look like a quote or backslash in them: we would read another statement than the database. */
const UNSAFE_ENCODINGS = /^(SJIS|SHIFT_JIS_2004|BIG5|GBK|GB18030|UHC|JOHAB)$/i;

export class Conversation {
  readonly #tables: Tables;
  readonly #cipher: Cipher;
  readonly #statements = new Map<string, Plan>();
  readonly #portals = new Map<string, Pick<Request, 'plan' | 'resultFormats'>>();
  readonly #parsing = new Set<Request>();
  #queue: Request[] = [];
  /** After an error in the extended protocol the database skips everything up to Sync. */
  #isSkipping = false;
  isAuthenticated = false;

  constructor(tables: Tables, cipher: Cipher) {
    this.#tables = tables;
    this.#cipher = cipher;
  }

  /** @returns what the database gets instead. @throws SessionError */
  fromClient(message: Message): Buffer {
    try {
      return this.#request(message);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const trap = trapStatement(error);
      if (message.type === 'Q') return this.#send({ kind: 'Q' }, messages.QUERY.encode(trap));
      const name = message.type === 'P' ? messages.PARSE.decode(message.body)[0] : 'acra refused';
      return this.#send({ kind: 'P', name }, messages.PARSE.encode(name, trap, []));
    }
  }

  /** @returns what the client gets instead. @throws SessionError */
  fromDatabase({ type, frame, body }: Message): Buffer {
    const request = this.#answered(type);
    const { name, plan } = request ?? {};
    if (type === 'R') this.isAuthenticated ||= body.length === 4 && body.readInt32BE() === 0;
    if (type === 'S') requireSafeSetting(...messages.PARAMETER_STATUS.decode(body));
    if (type === '1' && name && plan) this.#statements.set(name, plan);
    if (type === '3' && name && plan === this.#statements.get(name)) this.#statements.delete(name);
    if (type === 't') return messages.withTextOids(frame, textParameterOffsets(plan));
    if (type === 'T') return describeRow(frame, body, request);
    if (type === 'D') return revealRow(this.#cipher, frame, (count) => cellKinds(request, count));
    if (type === 'E') return this.#error(frame, body);
    if (type === 'Z') this.#ready(body.toString('latin1'));
    return frame;
  }

  #request({ type, frame, body }: Message): Buffer {
    if (type === 'Q') return this.#query(...messages.QUERY.decode(body));
    if (type === 'P') return this.#parse(...messages.PARSE.decode(body));
    if (type === 'B') return this.#bind(frame, ...messages.BIND.decode(body));
    if (type === 'D' || type === 'C') {
      const [name] = messages.QUERY.decode(body.subarray(1));
      const isStatement = body.toString('latin1', 0, 1) === 'S';
      const subject = isStatement ? { name, plan: this.#plansOf(name).at(-1) } : this.#portals.get(name);
      return this.#send({ kind: type, ...subject }, frame);
    }
    if (type === 'E') return this.#send({ kind: 'E', ...this.#portals.get(messages.QUERY.decode(body)[0]) }, frame);
    if (type === 'S' || type === 'F') return this.#send({ kind: type }, frame);
    // The database ignores a Sync that comes during COPY in the extended protocol, that is before CopyDone or CopyFail.
    const isCopyOver = (type === 'c' || type === 'f') && this.#queue[0]?.kind === 'E';
    if (isCopyOver) this.#queue = this.#queue.filter(({ kind }) => kind !== 'S');
    return frame;
  }

  #send(request: Request, frame: Buffer): Buffer {
    this.#queue.push(request);
    if (request.kind === 'P') this.#parsing.add(request);
    return frame;
  }

  #analyse(sql: string): Plan {
    const plan = analyse(this.#tables, this.#cipher, Buffer.from(sql, 'latin1'));
    const executed = plan.executes.flatMap((name) => this.#plansOf(Buffer.from(name).toString('latin1')));
    if (executed.some(isProtected)) throw new Refusal('EXECUTE passes values for protected columns');
    return plan;
  }

  #query(sql: string): Buffer {
    const plan = this.#analyse(sql);
    return this.#send({ kind: 'Q', plan }, messages.QUERY.encode(plan.sql.toString('latin1')));
  }

  #parse(name: string, sql: string, oids: number[]): Buffer {
    const plan = this.#analyse(sql);
    if (name === '' || !this.#statements.has(name)) this.#statements.set(name, plan);
    const length = Math.max(oids.length, ...plan.parameters.keys());
    const oidAt = (index: number) => (plan.parameters.has(index + 1) ? messages.OIDS.bytea : (oids[index] ?? 0));
    const own = Array.from({ length }, (_, index) => oidAt(index));
    return this.#send({ kind: 'P', name, plan }, messages.PARSE.encode(name, plan.sql.toString('latin1'), own));
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
      return use && value ? protectValue(this.#cipher, use, value, messages.isBinaryAt(formats, index)) : value;
    });
    const ownFormats = values.map(
      (_, index) => +(plan?.parameters.has(index + 1) || messages.isBinaryAt(formats, index)),
    );
    this.#portals.set(portal, { plan, resultFormats });
    const isSame = !isProtected(plan);
    return this.#send(
      { kind: 'B' },
      isSame ? frame : messages.BIND.encode(portal, name, ownFormats, ownValues, resultFormats),
    );
  }

  /** What a name may mean at the moment: with a Parse under way, also what that would make of it. */
  #plansOf(name: string): (Plan | undefined)[] {
    const underWay = name === '' ? [] : [...this.#parsing].filter((request) => request.name === name);
    return [...new Set([this.#statements.get(name), ...underWay.map(({ plan }) => plan)])];
  }

  /** The request that the answer belongs to; those before it get no more answers. */
  #answered(type: string): Request | undefined {
    const kinds = ANSWERS[type];
    if (kinds === undefined) return undefined;
    while (this.#queue[0] && !kinds.includes(this.#queue[0].kind)) this.#queue.shift();
    const [request] = this.#queue;
    if (request && request.kind !== 'Q' && !NOT_LAST_ANSWERS.includes(type)) this.#queue.shift();
    if (request) this.#parsing.delete(request);
    return request;
  }

  #error(frame: Buffer, body: Buffer): Buffer {
    this.#isSkipping ||= 'PBCDES'.includes(this.#queue[0]?.kind ?? '-');
    if (this.#isSkipping) this.#dropUntil('S');
    const refusal = trappedRefusal(body);
    return refusal ? messages.encodeError('ERROR', refusal.sqlState, refusal.message) : frame;
  }

  #ready(status: string): void {
    this.#dropUntil(this.#isSkipping ? 'S' : 'SQF');
    this.#queue.shift();
    this.#isSkipping = false;
    if (this.#queue.length === 0 && status === 'I') this.#portals.clear();
  }

  #dropUntil(kinds: string): void {
    const end = this.#queue.findIndex(({ kind }) => kinds.includes(kind));
    for (const request of this.#queue.splice(0, end === -1 ? this.#queue.length : end)) {
      const isNew = this.#parsing.delete(request) && this.#statements.get(request.name ?? '') === request.plan;
      if (isNew) this.#statements.delete(request.name ?? '');
    }
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

function describeRow(frame: Buffer, body: Buffer, request: Request = { kind: 'D' }): Buffer {
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
