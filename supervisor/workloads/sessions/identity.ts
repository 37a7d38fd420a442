/**
 * Everything that serves one client identity: a guard, which its sessions go through, and an acra-server, which has its keys and no
 * other's. Each is a user of its own; the front may reach the guard, the guard the acra-server, and nobody else either.
 *
 *   starting ──guard tells the port of what plays the database──▶ acra-server launched with it ──both ready──▶ serving
 *
 * Other keys come in two steps, so that all identities have them or none: `change`, then `settle` or `goBack`. acra-server is replaced, and
 * asked again by the guard what it was asked; the guard stays, and with it the sessions.
 */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { acraEngineArguments } from '../../../acra/server/engine-command-line.ts';
import { untilAborted } from '../../../runtime/abort.ts';
import { describeError, errorCode } from '../../../runtime/errors.ts';
import { untilAll } from '../../../runtime/until-all.ts';
import { type FromGuard, fromGuardSchema } from '../../../sessions/messages.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import type { ChildState } from '../../children/child.ts';
import { SupervisedChild } from '../../children/child.ts';
import type { EnclaveKeys } from '../../keys/keys-in-use.ts';
import { type AcraChildDeps, acraChildSpec } from '../acra/member.ts';
import { AcraOutput } from '../acra/output.ts';
import { tokenStore } from '../acra/token-store.ts';
import { type Member, NO_ALARMS } from '../workload.ts';
import { ExchangedKeys } from './exchanged-keys.ts';
import type { GuardTeller } from './guard-tally.ts';
import { LoginTokenDesk } from './login-tokens.ts';
import { type KeyOwner, OwnKeys } from './own-keys.ts';
import { ownKeystoreFolder } from './own-keystore.ts';
import { SecretsHandover } from './secrets-handover.ts';
import { serveGuard } from './serve-guard.ts';
import { SessionProgram } from './session-program.ts';
import type { SessionsDeps } from './sessions-deps.ts';

const MIB = 1024 * 1024;
/** A parser's WebAssembly memory, batches of rows, and messages under way. */
const GUARD_BOUNDS = { maxMemoryBytes: 1024 * MIB, maxTasks: 64 } as const;
const LOOPBACK = '127.0.0.1';
/** Of SHA-512 in hex: so that names stay short, and different. */
const NAME_DIGITS = 12;

type GuardMessage = Exclude<FromGuard, { readonly type: 'log' | 'listening' }>;

export interface IdentityPlan {
  readonly clientId: string;
  /** Who may connect to the guard. */
  readonly front: Confinement['user'];
}

export class Identity {
  readonly #deps: SessionsDeps;
  readonly #plan: IdentityPlan;
  readonly #onState: (state: ChildState) => void;
  readonly #onSessions: (open: number) => void;
  readonly #counts: GuardTeller;
  readonly #tokens: LoginTokenDesk;
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
  readonly #keys = new ExchangedKeys();
  readonly #handover: SecretsHandover;
  readonly #stopping = new AbortController();

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
    this.#tokens = new LoginTokenDesk(plan.clientId, deps, this.#counts);
    this.#handover = new SecretsHandover(deps.clock);
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
  async start(keys: EnclaveKeys, users: KeyOwner['users'], signal: AbortSignal): Promise<string> {
    const { confine, config, clock, random, logger, onFailure } = this.#deps;
    const { maxMemoryMiB, maxTasks } = config.acra;
    try {
      await this.#take(keys, users);
      const acraHome = confine(this.#nameOf('acra'), { maxMemoryBytes: maxMemoryMiB * MIB, maxTasks });
      this.#confinements = [acraHome];
      const guardHome = confine(this.#nameOf('guard'), GUARD_BOUNDS, 'session');
      this.#confinements = [acraHome, guardHome];
      const paths = {
        guard: join(guardHome.openDoor(this.#plan.front), 'guard.sock'),
        acra: join(acraHome.openDoor(guardHome.user), 'acra.sock'),
      };
      const program = this.#program(guardHome, paths);
      const childDeps = { clock, random, logger, onFailure };
      const guard = new SupervisedChild(program.spec, { ...childDeps, onState: (state) => this.#followGuard(state) });
      const spec = acraChildSpec(this.#acraDeps(acraHome, paths.acra));
      const acra = new SupervisedChild(spec, { ...childDeps, onState: this.#onState });
      this.#parts = { guard, acra, program };
      await untilAll([guard.start(signal), this.#startAcra(acra, signal)]);
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

  /**
   * To be followed by `settle` or `goBack`, also where it fails. One whose acra-server has met a poison record stays without.
   * @throws as SupervisedChild.replace and SecretsHandover.to; the signal's reason
   */
  async change(keys: EnclaveKeys, users: KeyOwner['users'], signal: AbortSignal): Promise<void> {
    await this.#take(keys, users);
    await this.#goOver(signal);
  }

  /** Nobody goes back any more. */
  settle(): void {
    this.#keys.settle();
  }

  /** To the keys of before `change`. Never rejects: what does not come up with them at once is started again like any other. */
  async goBack(): Promise<void> {
    using left = this.#keys.goBack();
    if (!left) return;
    await this.#goOver(this.#stopping.signal).catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return;
      const fields = { clientId: this.#plan.clientId, code: errorCode(error) ?? null, reason: describeError(error) };
      this.#deps.logger.log('error', 'identity.back-late', fields);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const { guard, acra } = this.#parts ?? {};
    this.#enginePort.resolve(0);
    await Promise.all([guard?.stop(), acra?.stop()]);
    this.#keys[Symbol.dispose]();
    for (const each of this.#confinements) each.release();
    this.#confinements = [];
  }

  /** @throws the reason of a stop */
  async #take(keys: EnclaveKeys, users: KeyOwner['users']): Promise<void> {
    const { clientId } = this.#plan;
    const next = await OwnKeys.of(keys, { clientId, columnClients: this.#deps.columnClients, users });
    if (this.#stopping.signal.aborted) next[Symbol.dispose]();
    this.#stopping.signal.throwIfAborted();
    this.#keys.take(next);
  }

  /** First the engine, which may fail for the keys; the guard only takes them. */
  async #goOver(signal: AbortSignal): Promise<void> {
    const { acra, program } = this.#parts ?? {};
    const ends = AbortSignal.any([signal, this.#stopping.signal]);
    try {
      if (!acra?.failure) await acra?.replace(ends);
    } catch (error) {
      if (!acra?.failure) throw error;
    }
    if (program) await this.#handover.to(program, this.#keys.now, ends);
  }

  #followGuard({ kind }: ChildState): void {
    if (kind === 'running') {
      this.#listening.resolve();
      return;
    }
    this.#listening = Promise.withResolvers();
    this.#handover.ended();
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
      serve: () => {
        const { users, secrets } = this.#keys.now;
        const own = { listenPath: paths.guard, acraPath: paths.acra, enginePort: this.#port, users };
        return { message: serveGuard(own, this.#deps), secrets };
      },
      onMessage: (message) => this.#hear(message),
    });
  }

  #hear(message: GuardMessage): void {
    const { program: guard } = this.#parts ?? {};
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
      case 'secrets':
        this.#handover.answered(message);
        return;
      case 'login-token-wanted':
      case 'login-token-refused':
        void this.#tokens.take(message, { users: this.#keys.now.users, guard });
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

  #acraDeps(home: Confinement, path: string): AcraChildDeps {
    const { program, config, clock, pathOf } = this.#deps;
    const listen = { kind: 'unix', path } as const;
    const common = {
      listen,
      keysFolder: ownKeystoreFolder(home),
      clientId: this.#plan.clientId,
      encryptorConfigFile: pathOf(config.acra.encryptorConfig),
      poisonDetection: config.acra.poisonDetection,
      tokens: tokenStore(this.#deps, this.#deps.tokensAddress),
    };
    return {
      name: this.#nameOf('acra'),
      program,
      listen,
      prepare: () => this.#keys.now.copyKeystore(home),
      command: () => acraEngineArguments({ ...common, database: { host: LOOPBACK, port: this.#port } }),
      config,
      masterKey: () => this.#keys.now.masterKey,
      use: { kind: 'engine', processors: availableParallelism() },
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
