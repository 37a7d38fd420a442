/**
 * One session's messages in both directions (PostgreSQL 18, "Message Flow"): what the client asks for is judged and
 * rewritten, and the queue of requests tells what an answer is to be read with.
 *
 * A refusal fails in the database too: a statement that always fails and holds no value goes in the place of the refused one, so
 * that order, transaction state and skipping up to Sync stay PostgreSQL's own; its error is replaced by ours. Only rows that cannot be
 * read have no such place: the error goes to the client, and what the database still says up to ReadyForQuery is left out.
 */
import type { Message } from '../../postgres/message-reader.ts';
import { BACKEND, FRONTEND, UNASKED } from '../../postgres/message-types.ts';
import * as messages from '../../postgres/messages.ts';
import { ReplyQueue } from '../../postgres/reply-queue.ts';
import type { Prepared } from '../statements/plan.ts';
import { Refusal } from '../statements/refusal.ts';
import { takesValues } from '../statements/value-use.ts';
import { copiedOut, endOfData, refuseTooLong, requireOfSession, requireWanted } from './belonging.ts';
import { COPY_DATA, CopyingIn, type Write } from './copying-in.ts';
import { ENDS_COPY } from './copying-out.ts';
import { DatabaseReading } from './database-reading.ts';
import { type Judged, Judging } from './judging.ts';
import { Names } from './names.ts';
import type { ConversationOptions } from './options.ts';
import { Portals } from './portals.ts';
import { asWritten, mayPass } from './report-mode.ts';
import { insteadOf, type Request, replaced } from './request.ts';
import { databaseTypes } from './result-types.ts';
import { Results } from './results.ts';
import { type AnswerSink, RowAnswers } from './row-answers.ts';
import { StatementWatch, UNOBSERVED } from './statement-watch.ts';
import { TRAP_ERROR, trapFor } from './trap.ts';

const NOTHING: Buffer = Buffer.alloc(0);

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #portals = new Portals();
  readonly #names = new Names();
  readonly #reading = new DatabaseReading();
  readonly #judging: Judging;
  readonly #watch: StatementWatch;
  readonly #queue = new ReplyQueue<Request>((dropped) => this.#dropped(dropped));
  readonly #copyingIn: CopyingIn;
  readonly #results: Results;
  readonly #rows: RowAnswers;
  #isLoggedIn = false;
  #segment = 0;
  #skipsToSync = false;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#watch = new StatementWatch(options.observer ?? UNOBSERVED);
    this.#judging = new Judging({ ...options, names: this.#names, watch: this.#watch });
    this.#copyingIn = new CopyingIn(options, (request) => this.#queue.copyEnded(request));
    this.#results = new Results(options, this.#portals, this.#watch, this.#reading);
    this.#rows = new RowAnswers(this.#results, this.#queue);
  }

  /** Nothing will follow. */
  close(): void {
    this.#copyingIn.close();
  }

  /** From now on whatever belongs to a login ends the session. */
  loggedIn(): void {
    this.#isLoggedIn = true;
  }

  /** Whether the database owes an answer. */
  get isBusy(): boolean {
    return !this.#queue.isEmpty;
  }

  /**
   * One message at a time.
   * @param write takes what is much, in parts; without, all is returned
   * @returns what the database gets instead, behind that. @throws SessionError
   */
  async fromClient(message: Message, write?: Write): Promise<Buffer> {
    if (this.#isLoggedIn) requireOfSession(message.type, 'client');
    if (this.#isSkipped(message.type)) return NOTHING;
    if (COPY_DATA.includes(message.type)) return this.#copyingIn.answer(message, write);
    this.#watch.begin();
    try {
      return message.skippedBytes !== undefined ? refuseTooLong(message) : await this.#request(message);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (this.#options.isReporting && mayPass(refusal)) {
        const session = { watch: this.#watch, portals: this.#portals, names: this.#names, segment: this.#segment };
        return this.#send(asWritten(message, refusal, session), message.frame);
      }
      const { frame, ...request } = trapFor(message);
      this.#skipsToSync = request.kind === 'parse';
      const instead = insteadOf(TRAP_ERROR, refusal, this.#options.refusedBy);
      return this.#send({ ...request, instead, work: this.#watch.refused(refusal, 'refused') }, frame);
    }
  }

  /** Behind a refusal the database passes over everything up to Sync, values of what was refused among it: it does not get them. */
  #isSkipped(type: string): boolean {
    if (type === FRONTEND.sync || type === FRONTEND.terminate) this.#skipsToSync = false;
    return this.#skipsToSync;
  }

  /**
   * One call at a time. @param all in order @param sink takes rows whose end has not come yet, also when this has resolved; without, all is returned
   * @returns what the client gets behind that. @throws SessionError
   */
  async fromDatabase(all: readonly Message[], sink?: AnswerSink): Promise<readonly Buffer[]> {
    const answers: Buffer[] = [];
    const own: AnswerSink = { deliver: async (frames) => void answers.push(...frames), failed: () => undefined };
    for (let at = 0; at < all.length; ) {
      const end = endOfData(all, at);
      const message = all[at];
      const ahead = end === all.length ? sink : undefined;
      if (end > at) {
        if (answers.length > 0) await ahead?.deliver(answers.splice(0));
        await this.#rows.begin(all.slice(at, end), ahead ?? own);
      } else if (message) {
        await this.answered();
        answers.push(...this.#answer(message));
      }
      at = Math.max(end, at + 1);
    }
    if (!sink) await this.answered();
    return answers;
  }

  /** Whatever the database has said is delivered. @throws SessionError */
  answered(): Promise<void> {
    return this.#rows.delivered();
  }

  #answer(message: Message): readonly Buffer[] {
    const { type, body } = message;
    if (this.#isLoggedIn) requireOfSession(type, 'database');
    requireWanted(type, this.#queue.current);
    const request = this.#queue.answered(type);
    this.#watch.answered(type, request ?? this.#queue.current);
    if (type === BACKEND.parameterStatus) this.#reading.take(...messages.PARAMETER_STATUS.decode(body));
    const answer = this.#answerTo(request, message);
    const left = ENDS_COPY.includes(type) ? this.#results.copyingOut.end() : [];
    if (type === BACKEND.readyForQuery) this.#rows.isSilent = false;
    return this.#rows.isSilent && !UNASKED.includes(type) ? [] : [...left, answer];
  }

  #answerTo(request: Request | undefined, { type, frame, body }: Message): Buffer {
    switch (type) {
      case BACKEND.parseComplete:
        if (request) this.#names.statements.parsed(request);
        return frame;
      case BACKEND.closeComplete:
        if (request) this.#names.statements.closed(request);
        return frame;
      case BACKEND.parameterDescription:
        return this.#results.describeParameters(frame, request?.plan);
      case BACKEND.commandComplete:
        if (request) this.#completed(request);
        return frame;
      case BACKEND.rowDescription:
        return this.#results.describe(frame, body, request ?? { kind: 'describe' });
      case BACKEND.copyOutResponse:
        this.#results.beginCopy(copiedOut(this.#queue.current), body);
        return frame;
      case BACKEND.errorResponse:
        return this.#error(frame, body);
      case BACKEND.readyForQuery:
        if (this.#queue.current?.effects) this.#names.ended(this.#queue.current.effects);
        this.#queue.ready();
        if (this.#queue.isEmpty && body.toString('latin1') === 'I') this.#portals.clear();
        return frame;
      default:
        return frame;
    }
  }

  /** One statement of a simple query, or what Execute began. */
  #completed(request: Request): void {
    const { at = 0, kind, effects } = request;
    if (effects) this.#names.done(effects, at);
    if (effects && kind === 'execute') this.#names.ended(effects);
    request.at = at + 1;
    delete request.fields;
  }

  #dropped(request: Request): void {
    this.#copyingIn.failed(request);
    if (request.kind === 'parse') this.#names.statements.dropped(request);
    if (request.effects) this.#names.ended(request.effects);
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
        return this.#execute(frame, ...messages.QUERY.decode(body));
      case FRONTEND.functionCall:
        throw new Refusal('function-call', 'a function is called past SQL (FunctionCall); use a statement');
      case FRONTEND.sync:
        this.#segment += 1;
        return this.#send({ kind: 'sync' }, frame);
      default:
        return frame;
    }
  }

  /** Of Describe and Close: `S` and a statement's name, or `P` and a portal's. */
  #subject(body: Buffer): Omit<Request, 'kind'> {
    const [name] = messages.QUERY.decode(body.subarray(1));
    const isStatement = body.toString('latin1', 0, 1) === 'S';
    const portal = isStatement ? undefined : this.#portals.get(name);
    const statement = isStatement ? this.#plansOf(name).at(-1) : undefined;
    const plan = portal ? portal.plan : statement;
    const subject = { portal, statement, plan: plan && this.#withFetched(plan) };
    return isStatement ? { ...subject, name } : subject;
  }

  #execute(frame: Buffer, name: string): Buffer {
    const portal = this.#portals.get(name);
    const plan = portal?.plan;
    if (!plan) return this.#send({ kind: 'execute' }, frame);
    this.#reading.requireCopies(plan);
    const effects = this.#names.sending(plan, this.#segment);
    return this.#send({ kind: 'execute', plan: this.#withFetched(plan), portal, effects, work: portal.work }, frame);
  }

  #withFetched<Each extends Prepared>(plan: Each): Each {
    return this.#names.withFetched(plan, this.#segment, (name) => this.#portals.get(name)?.plan);
  }

  #send(request: Request, frame: Buffer): Buffer {
    if (request.kind === 'parse') this.#names.statements.parsing(request);
    this.#watch.sent(request.work);
    if (request.kind !== 'sync') this.#copyingIn.sent(request);
    this.#queue.sent(request);
    return frame;
  }

  #plansOf(name: string): Prepared[] {
    return this.#names.statements.plansOf(name, this.#segment);
  }

  /** @param typeCount of the parameters that the client gives types to */
  async #judged(sql: string, typeCount = 0): Promise<Judged> {
    this.#reading.requireSameCharacters(sql);
    const judged = await this.#judging.text(sql, typeCount, this.#segment);
    this.#reading.requireSameTokens(judged.plan);
    return judged;
  }

  async #query(sql: string): Promise<Buffer> {
    const { plan: judged, rewritten } = await this.#judged(sql);
    const plan = this.#withFetched(judged);
    this.#reading.requireCopies(plan);
    const effects = this.#names.sending(plan, this.#segment);
    const work = this.#watch.queried(plan);
    return this.#send({ kind: 'query', plan, effects, work }, messages.QUERY.encode(rewritten));
  }

  async #parse(name: string, sql: string, oids: number[]): Promise<Buffer> {
    const { plan, parameterCount, rewritten } = await this.#judged(sql, oids.length);
    const request: Request = { kind: 'parse', name, plan, segment: this.#segment };
    this.#watch.parsed(plan);
    const own = databaseTypes(plan, oids, parameterCount);
    return this.#send(request, messages.PARSE.encode(name, rewritten, own));
  }

  async #bind(
    frame: Buffer,
    ...[portal, name, formats, values, resultFormats]: ReturnType<typeof messages.BIND.decode>
  ): Promise<Buffer> {
    const plans = this.#plansOf(name);
    if (plans.length > 1 && plans.some(takesValues)) {
      throw new Refusal('prepared-name', 'a statement is bound while another one may be taking its name');
    }
    const [plan] = plans;
    this.#portals.bound(portal, plan, resultFormats);
    if (!plan) return this.#send({ kind: 'bind' }, frame);
    this.#reading.requireSameValues(plan, values);
    const own = await this.#judging.parameters(plan, formats, values, this.#segment);
    this.#portals.bound(portal, plan, resultFormats, this.#watch.bound(plan));
    if (own.values === values) return this.#send({ kind: 'bind' }, frame);
    const bind = messages.BIND.encode(portal, name, [...own.formats], [...own.values], resultFormats);
    return this.#send({ kind: 'bind' }, bind);
  }

  #error(frame: Buffer, body: Buffer): Buffer {
    const request = this.#queue.failed();
    if (request) this.#copyingIn.failed(request);
    return replaced(frame, body, request?.instead);
  }
}
