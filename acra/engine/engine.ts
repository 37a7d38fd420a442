/**
 * acra-server as an engine (decision 16): it protects and reveals single values of one identity, and no session of an application
 * passes through it. It holds the keys; whoever asks it holds none. It may end at any moment: sessions through it are made anew, and
 * what it was asked is asked again, but not for ever.
 */
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import type { Random } from '../../runtime/random.ts';
import { RecurringDeadline } from '../../runtime/recurring-deadline.ts';
import type { TcpEndpoint, UnixEndpoint } from '../../wire/endpoint.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { EngineError } from '../errors.ts';
import { checkPossible, checkSearched, checkStored, checkValue, containerIn, foreignValue } from './check.ts';
import { EngineConnection } from './connection.ts';
import { EngineDatabase } from './database.ts';
import { ENGINE_LIMITS, type EngineLimits, MIB } from './limits.ts';
import { EngineQueue, inRows, revealTask, type Waiting } from './queue.ts';
import { NO_COLUMN } from './statements.ts';
import { opens, opensAsValue } from './stored-form.ts';
import { bytesOf, type Task } from './task.ts';
import { TokenExchange } from './token-exchange.ts';

/** More than any container, and the search hash before it, adds to a value. */
const CONTAINER_BYTES = 1024;
/** What Bind and DataRow add to their values, and acra-server to a container, generously. */
const FRAME_BYTES = 64 * 1024;

export interface EngineDeps {
  /** Where acra-server listens; it need not do so yet. */
  readonly acra: TcpEndpoint | UnixEndpoint;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<EngineLimits>;
  /** Told when acra-server has let DEAF_AFTER deadlines pass in a row: it runs, and does not answer. */
  readonly onDeaf?: () => void;
}

/** One may be a machine that was busy for a while. */
const DEAF_AFTER = 2;

export class AcraEngine {
  readonly #deps: EngineDeps;
  readonly #limits: EngineLimits;
  readonly #queue: EngineQueue;
  readonly #database: EngineDatabase;
  /** What is asked about columns of tokens. */
  readonly tokens = new TokenExchange({
    store: (of, value) => this.#one({ kind: 'store', of, value }),
    reveal: (of, cells) => this.#reveal(of, cells),
  });
  readonly #stopping = new AbortController();
  /** One for each session; each ends with the engine. */
  #workers: readonly Promise<void>[] = [];
  #idle: (() => void)[] = [];
  /** Deadlines that passed since it last answered. */
  #silences = 0;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#limits = { ...ENGINE_LIMITS, ...deps.limits };
    this.#queue = new EngineQueue(this.#limits);
    this.#database = new EngineDatabase(deps.random);
  }

  /**
   * @param port of the database's end; 0: one that is free. An acra-server that runs already goes on with the one that it was told
   * @returns where acra-server is to find its database: it must be launched with that
   */
  async start(port = 0): Promise<TcpEndpoint> {
    const address = await this.#database.start(port);
    this.#workers = Array.from({ length: this.#limits.connections }, () => this.#work());
    return address;
  }

  /** What waits fails with ENGINE_STOPPED. */
  async stop(): Promise<void> {
    this.#stopping.abort(new EngineError('ENGINE_STOPPED', 'the engine was stopped'));
    this.#queue.failSince(Number.POSITIVE_INFINITY, this.#stopping.signal.reason);
    this.#wake();
    await Promise.all(this.#workers);
    this.#database.stop();
  }

  /**
   * What is to be stored in the column instead of the value. An empty one stays empty, as Acra has it.
   * @param value in the column's binary form
   * @throws EngineError ENGINE_UNPROTECTED, ENGINE_VALUE_INVALID, ENGINE_VALUE_FOREIGN, ENGINE_VALUE_TOO_LARGE, ENGINE_BUSY, ENGINE_LOST, ENGINE_STOPPED
   */
  async protect(of: EncryptedColumn, value: Buffer): Promise<Buffer> {
    if (value.length === 0) return value;
    checkValue(of, value);
    const stored = await this.#one({ kind: 'store', of, value });
    if (checkStored(of, value, stored) === 'protected') return stored;
    if (await opensAsValue(of, value, (as, cells) => this.#reveal(as, cells))) return stored;
    throw foreignValue(of);
  }

  /** What was stored in the column before is kept where it opens. @param stored as `isStoredForm` says @throws EngineError as `protect` */
  async keep(of: EncryptedColumn, stored: Buffer): Promise<Buffer> {
    const container = containerIn(of, stored);
    checkPossible(of, container);
    if (await opens(of, stored, (as, cells) => this.#reveal(as, cells))) return stored;
    if (of.searchable) return await this.protect(of, container);
    throw foreignValue(of);
  }

  /** What the first 33 bytes of a searchable column are to be compared with. @throws EngineError as `protect` */
  async searchHash(of: EncryptedColumn, value: Buffer): Promise<Buffer> {
    checkPossible(of, value);
    const hash = await this.#one({ kind: 'search', of, value });
    checkSearched(of, value, hash);
    return hash;
  }

  /**
   * What the cells of a column read as, in the column's binary form; one that does not open comes back as response_on_fail says.
   * @throws EngineError ENGINE_REFUSED where that is `error`; ENGINE_VALUE_TOO_LARGE, ENGINE_BUSY, ENGINE_LOST, ENGINE_STOPPED
   */
  async reveal(of: EncryptedColumn, cells: readonly Buffer[]): Promise<readonly Buffer[]> {
    const filled = cells.filter(({ length }) => length > 0);
    const revealed = await this.#reveal(of, filled);
    let at = 0;
    return cells.map((cell) => (cell.length > 0 ? (revealed[at++] ?? cell) : cell));
  }

  /**
   * Shows it containers that are no values of a column, so that it finds poison records among them (acra-server contract 3.5): then it
   * ends. What it makes of them is thrown away.
   * @throws EngineError as `reveal`
   */
  async examine(containers: readonly Buffer[]): Promise<void> {
    await this.#reveal(NO_COLUMN, containers);
  }

  async #reveal(of: EncryptedColumn, cells: readonly Buffer[]): Promise<readonly Buffer[]> {
    const rows = inRows(of, cells, this.#limits.maxBatchBytes);
    return (await Promise.all(rows.map((row) => this.#row(of, row)))).flat();
  }

  /** acra-server ends a row with an error for one cell of it. Each cell's own answer is found by halves. */
  async #row(of: EncryptedColumn, cells: readonly Buffer[]): Promise<readonly Buffer[]> {
    const answer = await this.#ask(revealTask(of, cells));
    if (answer.kind === 'values') return answer.values;
    if (cells.length <= 1) {
      throw new EngineError('ENGINE_REFUSED', `acra-server refuses to read a value of column "${of.name}"`);
    }
    const half = cells.length >> 1;
    const halves = [cells.slice(0, half), cells.slice(half)].map((part) => this.#row(of, part));
    return (await Promise.all(halves)).flat();
  }

  async #one(task: Task): Promise<Buffer> {
    const answer = await this.#ask(task);
    if (answer.kind === 'values' && answer.values[0]) return answer.values[0];
    throw new EngineError('ENGINE_REFUSED', `acra-server refuses a value for column "${task.of.name}"`);
  }

  async #ask(task: Task) {
    this.#stopping.signal.throwIfAborted();
    const isReveal = task.kind === 'reveal';
    const maxValueBytes = this.#limits.maxValueBytes + (isReveal ? CONTAINER_BYTES : 0);
    const largest = isReveal ? Math.max(...task.cells.map(({ length }) => length)) : task.value.length;
    if (largest > maxValueBytes) {
      throw new EngineError('ENGINE_VALUE_TOO_LARGE', `a value of column "${task.of.name}" is too large`, {
        found: `${largest} bytes`,
        allowed: `${maxValueBytes} bytes`,
      });
    }
    const answer = this.#queue.add(task, this.#deps.clock.monotonicMs());
    this.#wake();
    return answer;
  }

  #wake(): void {
    for (const wake of this.#idle.splice(0)) wake();
  }

  /** Makes a session when there is something to ask, and asks until it is lost. Never rejects. */
  async #work(): Promise<void> {
    let connection: EngineConnection | undefined;
    let failures = 0;
    const { signal } = this.#stopping;
    const close = () => connection?.close();
    signal.addEventListener('abort', close, { once: true });
    const deadline = new RecurringDeadline(this.#deps.clock, close, signal);
    while (!signal.aborted) {
      if (this.#queue.isEmpty) {
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      if (!connection || connection.lost.aborted) {
        connection = await this.#open();
        if (!connection) await this.#pause(failures++);
        if (!connection) continue;
        failures = 0;
      }
      await this.#round(connection, this.#queue.take(), deadline);
    }
    close();
  }

  async #pause(failures: number): Promise<void> {
    const { clock, random } = this.#deps;
    const lost = new EngineError('ENGINE_LOST', 'acra-server takes no session');
    this.#queue.failSince(clock.monotonicMs() - this.#limits.maxWaitMs, lost);
    await clock.sleep(backoffMs(this.#limits.retry, failures, random), this.#stopping.signal).catch(() => undefined);
  }

  async #open(): Promise<EngineConnection | undefined> {
    using deadline = new Deadline(this.#deps.clock, this.#limits.timeoutMs, this.#stopping.signal);
    const maxBytes = 2 * this.#limits.maxValueBytes + this.#limits.maxBatchBytes + FRAME_BYTES;
    try {
      return await EngineConnection.open(this.#deps.acra, this.#database, maxBytes, deadline.signal);
    } catch {
      this.#noteSilence(deadline);
      return undefined;
    }
  }

  #noteSilence({ hasPassed }: { readonly hasPassed: boolean }): void {
    if (!hasPassed) return;
    this.#silences += 1;
    if (this.#silences % DEAF_AFTER === 0) this.#deps.onDeaf?.();
  }

  /** @param deadline closes the session */
  async #round(connection: EngineConnection, batch: readonly Waiting[], deadline: RecurringDeadline): Promise<void> {
    if (batch.length === 0) return;
    deadline.begin(this.#timeoutMs(batch));
    try {
      const answers = await connection.run(batch.map(({ task }) => task));
      this.#silences = 0;
      const isRefused = answers.some(({ kind }) => kind === 'refused');
      // After an error acra-server reads the next row by the statement of the one that failed.
      if (isRefused) connection.close();
      if (isRefused && batch.length > 1) this.#again(batch);
      else for (const [index, { settle }] of batch.entries()) settle(answers[index] ?? { kind: 'refused' });
    } catch (cause) {
      connection.close();
      this.#noteSilence(deadline);
      this.#lost(batch, cause);
    } finally {
      deadline.end();
    }
  }

  #timeoutMs(batch: readonly Waiting[]): number {
    const { timeoutMs, timeoutPerMiBMs } = this.#limits;
    const bytes = batch.reduce((sum, { task }) => sum + bytesOf(task), 0);
    return timeoutMs + Math.ceil((bytes / MIB) * timeoutPerMiBMs);
  }

  #lost(batch: readonly Waiting[], cause: unknown): void {
    const { signal } = this.#stopping;
    for (const each of batch) each.losses += 1;
    const isOver = ({ losses }: Waiting) => signal.aborted || losses >= this.#limits.maxLosses;
    for (const each of batch.filter(isOver)) {
      each.fail(
        signal.aborted ? signal.reason : new EngineError('ENGINE_LOST', 'acra-server was lost over a value', { cause }),
      );
    }
    this.#again(batch.filter((each) => !isOver(each)));
  }

  /** One by one, so that none takes another with it. */
  #again(batch: readonly Waiting[]): void {
    for (const each of batch) each.isAlone = true;
    this.#queue.putBack(batch);
  }
}
