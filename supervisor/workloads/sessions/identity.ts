/**
 * Everything that serves one client identity: a guard, which its sessions go through, and an acra-server, which has its keys and no
 * other's. Each is a user of its own; the front may reach the guard, the guard the acra-server, and nobody else either.
 *
 *   starting ──guard tells the port of what plays the database──▶ acra-server launched with it ──both ready──▶ serving
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { acraEngineArguments } from '../../../acra/server/engine-command-line.ts';
import { loginOf } from '../../../config/user-secrets.ts';
import { untilAborted } from '../../../runtime/abort.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { FromGuard, ServeGuard } from '../../../sessions/messages.ts';
import { fromGuardSchema } from '../../../sessions/messages.ts';
import { tellTables } from '../../../sessions/protected-tables.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import type { ChildState } from '../../children/child.ts';
import { SupervisedChild } from '../../children/child.ts';
import { acraChildSpec } from '../acra/member.ts';
import { AcraOutput } from '../acra/output.ts';
import { type Member, NO_ALARMS } from '../workload.ts';
import type { GuardTeller } from './guard-tally.ts';
import { mockSecretOf } from './mock-secret.ts';
import { ownKeystore } from './own-keystore.ts';
import { SessionProgram } from './session-program.ts';
import type { SessionsDeps } from './sessions-deps.ts';

const MIB = 1024 * 1024;
/** A parser's WebAssembly memory, batches of rows, and messages under way. */
const GUARD_BOUNDS = { maxMemoryBytes: 1024 * MIB, maxTasks: 64 } as const;
const LOOPBACK = '127.0.0.1';
/** Front.md 4: 1.43 times the statements a second for 50 MB. */
const ENGINE_GC_PERCENT = 1_000;
/** Of SHA-512 in hex: so that names stay short, and different. */
const NAME_DIGITS = 12;

type GuardMessage = Exclude<FromGuard, { readonly type: 'log' | 'listening' }>;

export interface IdentityPlan {
  readonly clientId: string;
  /** Whom it may be in the database. */
  readonly users: readonly {
    readonly name: string;
    readonly databases: readonly string[];
    readonly secrets: readonly SecretBuffer[];
  }[];
  /** Who may connect to the guard. */
  readonly front: Confinement['user'];
}

export class Identity {
  readonly #deps: SessionsDeps;
  readonly #plan: IdentityPlan;
  readonly #onState: (state: ChildState) => void;
  readonly #onSessions: (open: number) => void;
  readonly #counts: GuardTeller;
  #parts:
    | {
        readonly guard: SupervisedChild;
        readonly acra: SupervisedChild;
        readonly program: SessionProgram<GuardMessage>;
      }
    | undefined;
  #confinements: readonly Confinement[] = [];
  #listening = Promise.withResolvers<void>();
  readonly #enginePort = Promise.withResolvers<number>();
  /** What acra-server was, or will be, launched with. */
  #port = 0;
  readonly #output: AcraOutput;
  readonly #mockSecret: SecretBuffer;

  /** @param onState of its acra-server @param onSessions told how many are open */
  constructor(
    deps: SessionsDeps,
    plan: IdentityPlan,
    listeners: {
      readonly onState: (state: ChildState) => void;
      readonly onSessions: (open: number) => void;
      readonly counts: GuardTeller;
    },
  ) {
    this.#deps = deps;
    this.#plan = plan;
    this.#onState = listeners.onState;
    this.#onSessions = listeners.onSessions;
    this.#counts = listeners.counts;
    this.#mockSecret = mockSecretOf(plan.clientId, deps.masterKey);
    this.#output = new AcraOutput(this.#nameOf('acra'), deps.logger, deps.onRecord);
  }

  get members(): readonly Member[] {
    if (!this.#parts) return [];
    const { guard, acra } = this.#parts;
    return [
      { id: this.#nameOf('guard'), child: guard, alarms: NO_ALARMS },
      { id: this.#nameOf('acra'), child: acra, alarms: this.#output.alarms },
    ];
  }

  /** @returns where its guard listens. Nothing is left where it fails. @throws as SupervisedChild.start */
  async start(signal: AbortSignal): Promise<string> {
    const { confine, config, clock, random, logger, onFailure } = this.#deps;
    const { maxMemoryMiB, maxTasks } = config.acra;
    const acraHome = confine(this.#nameOf('acra'), { maxMemoryBytes: maxMemoryMiB * MIB, maxTasks });
    this.#confinements = [acraHome];
    try {
      const guardHome = confine(this.#nameOf('guard'), GUARD_BOUNDS, 'session');
      this.#confinements = [acraHome, guardHome];
      const paths = {
        guard: join(guardHome.openDoor(this.#plan.front), 'guard.sock'),
        acra: join(acraHome.openDoor(guardHome.user), 'acra.sock'),
      };
      const program = this.#program(guardHome, paths);
      const childDeps = { clock, random, logger, onFailure };
      const guard = new SupervisedChild(program.spec, { ...childDeps, onState: (state) => this.#followGuard(state) });
      const spec = acraChildSpec(await this.#acraDeps(acraHome, paths.acra));
      const acra = new SupervisedChild(spec, { ...childDeps, onState: this.#onState });
      this.#parts = { guard, acra, program };
      await untilBoth(guard.start(signal), this.#startAcra(acra, signal));
      return paths.guard;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** While a guard is started anew nobody listens: resolves when somebody does. @throws the signal's reason */
  untilListening(signal: AbortSignal): Promise<void> {
    return untilAborted(this.#listening.promise, signal);
  }

  drain(isLast: boolean): void {
    this.#parts?.program.send({ type: 'drain', isLast });
  }

  async stop(): Promise<void> {
    const { guard, acra } = this.#parts ?? {};
    this.#enginePort.resolve(0);
    await Promise.all([guard?.stop(), acra?.stop()]);
    this.#mockSecret.dispose();
    for (const each of this.#confinements) each.release();
    this.#confinements = [];
  }

  #followGuard({ kind }: ChildState): void {
    if (kind === 'running') this.#listening.resolve();
    else this.#listening = Promise.withResolvers();
  }

  async #startAcra(acra: SupervisedChild, signal: AbortSignal): Promise<void> {
    this.#port = await untilAborted(this.#enginePort.promise, signal);
    await acra.start(signal);
  }

  #program(home: Confinement, paths: { readonly guard: string; readonly acra: string }): SessionProgram<GuardMessage> {
    const { config, clock, logger } = this.#deps;
    return new SessionProgram<GuardMessage>({
      kind: 'guard',
      name: this.#nameOf('guard'),
      confinement: home,
      restart: config.restart,
      clock,
      logger,
      schema: fromGuardSchema,
      prepare: () => {
        rmSync(paths.guard, { force: true });
        this.#counts.launched();
      },
      serve: () => ({ message: this.#serveMessage(paths), secrets: this.#secrets }),
      onMessage: (message) => this.#take(message),
    });
  }

  #serveMessage(paths: { readonly guard: string; readonly acra: string }): ServeGuard {
    const { config, databaseTarget, tables, guardList } = this.#deps;
    const { mode, relations, migrations, slowStatementMs } = config.guard;
    return {
      type: 'serve',
      listenPath: paths.guard,
      acraPath: paths.acra,
      enginePort: this.#port,
      poisonDetection: config.acra.poisonDetection,
      tables: tellTables(tables),
      policy: { relations, list: guardList },
      migrations,
      mode,
      slowStatementMs,
      database: databaseTarget,
      login: loginOf(config.database),
      users: this.#plan.users.map(({ name, databases, secrets }) => ({ name, databases, secrets: secrets.length })),
      maxMessageBytes: config.ingress.limits.maxMessageBytes,
    };
  }

  get #secrets(): readonly SecretBuffer[] {
    return [this.#mockSecret, ...this.#plan.users.flatMap(({ secrets }) => secrets)];
  }

  #take(message: GuardMessage): void {
    switch (message.type) {
      case 'engine':
        this.#enginePort.resolve(message.port);
        this.#follow(message.port);
        return;
      case 'sessions':
        this.#onSessions(message.open);
        return;
      case 'counts':
        this.#counts.take(message);
        return;
      case 'engine-fault':
        this.#deps.logger.log('fatal', 'identity.engine-fault', {
          clientId: this.#plan.clientId,
          fault: message.fault,
        });
        this.#parts?.acra.killUnresponsive();
    }
  }

  /** A guard that could not have the port of the last one: acra-server has to be told the new one. */
  #follow(port: number): void {
    const hadPort = this.#port !== 0 && this.#port !== port;
    this.#port = port;
    if (hadPort) this.#parts?.acra.killUnresponsive();
  }

  async #acraDeps(home: Confinement, path: string) {
    const { program, config, masterKey, clock, pathOf, columnClients } = this.#deps;
    const { clientId } = this.#plan;
    const keysFolder = await ownKeystore(home, pathOf(config.acra.keystore), new Set([clientId, ...columnClients]));
    const listen = { kind: 'unix', path } as const;
    const common = {
      listen,
      keysFolder,
      clientId,
      encryptorConfigFile: pathOf(config.acra.encryptorConfig),
      poisonDetection: config.acra.poisonDetection,
    };
    return {
      name: this.#nameOf('acra'),
      program,
      listen,
      command: () => acraEngineArguments({ ...common, database: { host: LOOPBACK, port: this.#port } }),
      config,
      masterKey,
      gcPercent: ENGINE_GC_PERCENT,
      umask: 0o007,
      confinement: home,
      clock,
      output: this.#output,
    };
  }

  #nameOf(kind: 'guard' | 'acra'): string {
    return `${kind}-${this.#plan.clientId.slice(0, NAME_DIGITS)}`;
  }
}

/** Waits for both even where one fails, so that nothing of it comes later. */
async function untilBoth(...both: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(both)).find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
}
