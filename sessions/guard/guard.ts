/**
 * The sessions of one identity: takes them from the front, judges what they ask, has values protected by an engine, and speaks to the
 * database. A program of its own (main.ts): a statement that stops it, or a database that sends what breaks it, costs this identity only.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { AcraEngine } from '../../acra/engine/engine.ts';
import type { EngineError } from '../../acra/errors.ts';
import { withHidden } from '../../acra/migration/tables.ts';
import { PlanCache } from '../../acra/statements/plan-cache.ts';
import { StatementJudge } from '../../acra/statements/statement-judge.ts';
import { engineValueBytes } from '../../config/engine-memory.ts';
import { MAX_MESSAGE_BYTES } from '../../postgres/message-reader.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { requireSafeStartup } from '../../postgres/unsafe-settings.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { describeError } from '../../runtime/errors.ts';
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { HeldBytes } from '../held-bytes.ts';
import type { FromGuard, LoginToken, NoLoginToken, OtherSecrets, ServeGuard } from '../messages.ts';
import { readOpening, type SessionOpening } from '../opening.ts';
import type { Program } from '../program.ts';
import { readTables } from '../protected-tables.ts';
import type { OpenAccess } from './access.ts';
import { AccessInUse } from './access-in-use.ts';
import { accessOf } from './access-mode.ts';
import { fingerprinter } from './fingerprint.ts';
import { LoginTokens } from './login-tokens.ts';
import { protectorsOf } from './protector.ts';
import { ResultWatch } from './result-watch.ts';
import { GuardedSession, type SessionDeps } from './session.ts';
import { Switches } from './sides.ts';
import { StatementCounts } from './statement-counts.ts';
import { StatementLog } from './statement-log.ts';
import { LoginDenied } from './verifier-login.ts';

/** Of the longest, that wait for acra-server or are with it. */
const HELD_VALUES = 4;
/** With the copies that are made of them on their way, it fits what a guard may have (supervisor/workloads/sessions/identity.ts). */
const MAX_HELD_BYTES = 256 * 1024 * 1024;
/** The front sends it with the connection. */
const OPENING_MS = 5_000;

export interface GuardDeps extends Program<FromGuard> {
  readonly clock: Clock;
  readonly random: Random;
}

export class Guard {
  readonly #deps: GuardDeps;
  readonly #options: ServeGuard;
  readonly #sessionDeps: SessionDeps;
  readonly #access: AccessInUse;
  readonly #tokens: LoginTokens;
  readonly #statements: StatementCounts;
  readonly #server: Server;
  readonly #sessions = new Set<GuardedSession>();
  #isDraining = false;

  private constructor(
    deps: GuardDeps,
    options: ServeGuard,
    access: AccessInUse,
    tokens: LoginTokens,
    statements: StatementCounts,
    sessionDeps: SessionDeps,
  ) {
    this.#access = access;
    this.#tokens = tokens;
    this.#statements = statements;
    this.#deps = deps;
    this.#options = options;
    this.#sessionDeps = sessionDeps;
    this.#server = createServer({ noDelay: true }, (socket) => void this.#take(socket));
  }

  /** Tells where acra-server is to find its database, then that it listens. @param secrets as ServeGuard says */
  static async start(deps: GuardDeps, options: ServeGuard, secrets: readonly SecretBuffer[]): Promise<Guard> {
    const { clock, random, send, logger } = deps;
    const onDeaf = () => send({ type: 'engine-fault', fault: 'deaf' });
    const maxValueBytes = engineValueBytes(options.maxMessageBytes);
    const limits = { maxValueBytes, maxHeldBytes: HELD_VALUES * maxValueBytes };
    const engine = new AcraEngine({ acra: { kind: 'unix', path: options.acraPath }, clock, random, onDeaf, limits });
    // Another may have taken it while there was no guard; acra-server is told of the new one.
    const { port } = await engine.start(options.enginePort).catch(() => engine.start());
    send({ type: 'engine', port });
    const door = { database: options.database, maxDatabaseMessageBytes: MAX_MESSAGE_BYTES, clock };
    const tokens = new LoginTokens(send);
    const access = new AccessInUse(accessOf({ ...deps, tokens }, options, door, secrets));
    const openAccess: OpenAccess = async (startup, ...others) => {
      requireSafeStartup(startup);
      return await access.open(startup, ...others);
    };
    const onFailure = (error: EngineError) => {
      logger.log('error', 'guard.engine-failed', { code: error.code, reason: describeError(error) });
      if (error.code === 'ENGINE_UNPROTECTED') send({ type: 'engine-fault', fault: 'unprotected' });
    };
    const { tables, migrations, policy, mode, slowStatementMs, maxMessageBytes } = options;
    const judge = await StatementJudge.start(withHidden(readTables(tables), migrations), clock, {
      reader: 'engine',
      policy,
    });
    const watch = new ResultWatch(clock, logger);
    const statements = new StatementCounts(clock, watch, send);
    const fingerprint = fingerprinter(random, (sql) => judge.shapeOf(sql));
    const log = new StatementLog({ clock, logger, slowStatementMs, fingerprint });
    const guard = new Guard(deps, options, access, tokens, statements, {
      ...door,
      openAccess,
      maxMessageBytes,
      switches: new Switches(migrations),
      judge: new PlanCache(judge, random),
      protectors: protectorsOf(engine, {
        onFailure,
        findsPoison: options.poisonDetection,
        watch,
        counts: statements.counts.values,
      }),
      isReporting: mode === 'report',
      observer: {
        nowMs: () => clock.monotonicMs(),
        finished: (work) => {
          statements.finished(work);
          log.finished(work);
        },
        wouldRefuse: (refusal, sql) => log.wouldRefuse(refusal, sql),
      },
      room: new HeldBytes(MAX_HELD_BYTES),
    });
    await guard.#listen();
    return guard;
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#options.listenPath);
    await once(this.#server, 'listening');
    this.#deps.send({ type: 'listening' });
  }

  /** No new sessions; those that there are end when they are idle, or at once. */
  drain(isLast: boolean): void {
    this.#isDraining = true;
    this.#server.close();
    for (const session of this.#sessions) if (isLast) session.cut();
    for (const session of this.#sessions) session.drain();
  }

  /** What coming logins need; those that have begun, and sessions, go on as they are. It tells whether it can be used. @param secrets taken over */
  change({ id, users }: Pick<OtherSecrets, 'id' | 'users'>, secrets: readonly SecretBuffer[]): void {
    const { send, logger } = this.#deps;
    try {
      const deps = { ...this.#deps, tokens: this.#tokens };
      this.#access.change(accessOf(deps, { ...this.#options, users }, this.#sessionDeps, secrets));
      send({ type: 'secrets', id, areTaken: true });
    } catch (error) {
      logger.log('error', 'guard.secrets-refused', { reason: describeError(error) });
      send({ type: 'secrets', id, areTaken: false });
    }
  }

  /** What a login waits for. @param secrets taken over */
  takeToken(answer: LoginToken | NoLoginToken, secrets: readonly SecretBuffer[]): void {
    this.#tokens.answered(answer, secrets);
  }

  /** At the end of the process. */
  tellCounts(): void {
    this.#statements.flush();
  }

  async #take(socket: Socket): Promise<void> {
    socket.on('error', () => undefined);
    const opening = await this.#opening(socket);
    if (!opening || this.#isDraining) {
      socket.destroy();
      return;
    }
    const session = new GuardedSession(socket, this.#sessionDeps);
    this.#sessions.add(session);
    this.#tellCount();
    const ended = await session.serve(opening);
    if (ended !== undefined) this.#logEnd(ended);
    this.#sessions.delete(session);
    this.#tellCount();
  }

  /** Only the front can connect; undefined when it has gone away. */
  async #opening(socket: Socket): Promise<SessionOpening | undefined> {
    using deadline = new Deadline(this.#deps.clock, OPENING_MS);
    return await readOpening(socket, deadline.signal).catch(() => undefined);
  }

  /** What a SessionError says is ours, and holds no value; of anything else only the kind is told. */
  #logEnd(error: unknown): void {
    const { logger } = this.#deps;
    if (error instanceof SessionError) {
      const detail = error instanceof LoginDenied ? { detail: error.detail } : {};
      logger.log('warn', 'guard.session-ended', { sqlState: error.sqlState, reason: error.message, ...detail });
      return;
    }
    logger.log('error', 'guard.session-broke', { kind: error instanceof Error ? error.name : typeof error });
  }

  #tellCount(): void {
    const count: FromGuard = { type: 'sessions', open: this.#sessions.size };
    this.#deps.send(count);
  }
}
