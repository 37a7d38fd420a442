/**
 * The acra-servers of an enclave. Each has its own confinement, output, state and health; nothing that becomes of one touches
 * another. There is one so far, for all clients; a further one is one call of `add`.
 */

import { acraServerArguments } from '../../../acra/server/command-line.ts';
import { IN_LINE } from '../../../acra/server/environment.ts';
import { alarmOf } from '../../../acra/server/log-concerns.ts';
import type { AcraLogRecord } from '../../../acra/server/log-record.ts';
import type { AcraServerOptions } from '../../../acra/server/options.ts';
import { DEFAULT_CERTIFICATE_FILE, sealedTlsKeyOf } from '../../../config/tls.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import type { TcpEndpoint, UnixEndpoint } from '../../../wire/endpoint.ts';
import type { ChildState } from '../../children/child.ts';
import { SupervisedChild } from '../../children/child.ts';
import type { Member, MemberListener, Workload, WorkloadDeps } from '../workload.ts';
import { keystoreFor } from './keystore-copy.ts';
import { acraChildSpec, serverKeyFile } from './member.ts';
import { AcraOutput } from './output.ts';
import { requireAcra } from './probe.ts';
import { tokenStore } from './token-store.ts';

const MIB = 1024 * 1024;

/** What differs from one member to the next. */
export interface MemberPlan {
  /** Unique in the enclave; names user, cgroup, folder, log records and metrics. */
  readonly id: string;
  readonly listen: TcpEndpoint | UnixEndpoint;
  /** Its own way to the database. */
  readonly database: TcpEndpoint;
  /** To where it keeps tokens; undefined: nowhere. */
  readonly tokens?: TcpEndpoint | undefined;
  /** How many connections it has opened there so far: that it dials shows that it accepts (probe.ts). */
  readonly dialled: () => number;
}

export interface AcraMember extends MemberPlan, Member {
  readonly output: AcraOutput;
}

/** The keys of the image: acra-server in line reads them once, and its sessions would end with another. */
export interface AcraFleetDeps extends WorkloadDeps {
  readonly masterKey: SecretBuffer;
  /** PEM of the private key of the certificate that clients see. */
  readonly serverKey: SecretBuffer;
}

/**
 * With tokens whoever cuts the way to Redis has acra-server forward values as they are: what is under way then is lost, and no more. It
 * starts again only when Redis answers.
 */
function endWhereOpen(record: AcraLogRecord, child: SupervisedChild, logger: Logger): void {
  if (alarmOf(record)?.concern !== 'plaintext') return;
  logger.log('error', 'acra.ended-for-plaintext', { pid: child.pid ?? null });
  child.killUnresponsive();
}

export class AcraFleet implements Workload {
  readonly #deps: AcraFleetDeps;
  readonly #members = new Map<string, { readonly member: AcraMember; readonly confinement: Confinement }>();
  #listeners: MemberListener[] = [];

  constructor(deps: AcraFleetDeps) {
    this.#deps = deps;
  }

  get members(): readonly AcraMember[] {
    return [...this.#members.values()].map(({ member }) => member);
  }

  /** Each serves all clients. */
  get essential(): readonly AcraMember[] {
    return this.members;
  }

  /** Told about every change of a member's state from now on. */
  /** Its relay counts what there is to count. */
  readonly samples: readonly [] = [];

  subscribe(notify: MemberListener): void {
    this.#listeners = [...this.#listeners, notify];
  }

  /**
   * Resolves when it listens. Nothing of a member that does not come so far is left.
   * @throws SupervisorError CHILD_NOT_READY, CHILD_CONFINEMENT_TAKEN; CodedError CHILD_LAUNCH_FAILED, or ACRA_EXIT_… as acra-server ended
   */
  async add(plan: MemberPlan, signal: AbortSignal): Promise<AcraMember> {
    const { config, confine, clock, random, logger, onFailure } = this.#deps;
    const { maxMemoryMiB, maxTasks } = config.acra;
    const confinement = confine(plan.id, { maxMemoryBytes: maxMemoryMiB * MIB, maxTasks });
    try {
      const output = new AcraOutput(plan.id, logger, (record) => {
        this.#deps.onRecord?.(record);
        if (plan.tokens !== undefined) endWhereOpen(record, child, logger);
      });
      const onState = (state: ChildState) => this.#tell(plan.id, state);
      const child = new SupervisedChild(this.#childSpec(plan, confinement, output), {
        clock,
        random,
        logger,
        onState,
        onFailure,
      });
      const { listen: target, dialled } = plan;
      const timeoutMs = config.health.probeTimeoutMs;
      const probe = (probing: AbortSignal) => requireAcra({ target, dialled, timeoutMs, clock }, probing);
      const member = { ...plan, child, output, alarms: output.alarms, probe };
      this.#members.set(plan.id, { member, confinement });
      await child.start(signal);
      return member;
    } catch (error) {
      this.#members.delete(plan.id);
      confinement.release();
      throw error;
    }
  }

  /** Its sessions end; nobody else's do. */
  async remove(id: string): Promise<void> {
    const found = this.#members.get(id);
    if (!found) return;
    this.#members.delete(id);
    await found.member.child.stop();
    found.confinement.release();
  }

  /** The relay ends the sessions: acra-server knows no other end. */
  async drain(): Promise<void> {}

  async stop(): Promise<void> {
    await Promise.all([...this.#members.keys()].map((id) => this.remove(id)));
  }

  #tell(id: string, state: ChildState): void {
    const found = this.#members.get(id);
    if (found) for (const notify of this.#listeners) notify(found.member, state);
  }

  #childSpec(plan: MemberPlan, confinement: Confinement, output: AcraOutput) {
    const { program, config, masterKey, serverKey, clock } = this.#deps;
    const options = this.#options(plan, confinement);
    return acraChildSpec({
      name: plan.id,
      program,
      listen: plan.listen,
      command: () => acraServerArguments(options),
      config,
      masterKey: () => masterKey,
      serverKey: { file: options.tls.serverKeyFile, pem: serverKey },
      use: IN_LINE,
      confinement,
      clock,
      output,
    });
  }

  #options({ listen, database, tokens }: MemberPlan, confinement: Confinement): AcraServerOptions {
    const { config, pathOf } = this.#deps;
    const { acra } = config;
    // Where acra-server ends TLS the key is always sealed.
    const certificate = sealedTlsKeyOf(config)?.certificate ?? DEFAULT_CERTIFICATE_FILE;
    return {
      listen,
      database: { host: database.host, port: database.port, serverName: config.database.serverName },
      keysFolder: keystoreFor(confinement, pathOf(acra.keystore)),
      encryptorConfigFile: pathOf(acra.encryptorConfig),
      ...(acra.censorConfig === undefined ? {} : { censorConfigFile: pathOf(acra.censorConfig) }),
      tokens: tokenStore(this.#deps, tokens),
      tls: {
        clientCaFile: pathOf(acra.clientCa),
        serverCertFile: pathOf(certificate),
        serverKeyFile: serverKeyFile(confinement.folder),
        databaseCaFile: pathOf(config.database.ca),
      },
      clientId: { from: acra.clientIdFrom },
      poisonDetection: acra.poisonDetection,
    };
  }
}
