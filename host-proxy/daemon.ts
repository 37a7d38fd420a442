/** The daemon on the parent instance: forwards what the route table names, keeps the enclave's records, tells how it is. */
import { type HostProxyConfig, keysFolderOf } from '../config/host-proxy.ts';
import { Relay } from '../relay/relay.ts';
import { relaySamples } from '../relay/samples.ts';
import { type BackgroundTask, repeatedTask } from '../runtime/background-task.ts';
import type { Clock } from '../runtime/clock.ts';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/log.ts';
import { RELEASE } from '../runtime/release.ts';
import type { Service } from '../runtime/service.ts';
import { LineBuffer } from '../system/lines/line-buffer.ts';
import { KEY_SET_PHASE } from '../wire/control/messages.ts';
import type { TcpEndpoint } from '../wire/endpoint.ts';
import { formatEndpoint } from '../wire/endpoint.ts';
import { ReportedError } from '../wire/errors.ts';
import { declaredSamples } from '../wire/metrics.ts';
import { EnclaveClient, KEYS, OPERATOR } from './attestation/enclave-client.ts';
import { toHttp } from './attestation/http-answers.ts';
import { type AttestationListener, attestationOf } from './attestation/listener.ts';
import { type HostEgress, hostEgressOf } from './egress/host-egress.ts';
import { ControlServer } from './enclave/control-server.ts';
import { IngressGate } from './enclave/ingress-gate.ts';
import { ShedAlarm } from './enclave/shed-alarm.ts';
import { TlsKeyCertificate } from './enclave/tls-key-certificate.ts';
import { toldBy } from './enclave/told.ts';
import { unheard } from './enclave/unheard.ts';
import { EnclaveView } from './enclave/view.ts';
import { HostProxyError } from './errors.ts';
import { EnclaveKeys } from './keys/enclave-keys.ts';
import { HostKeys } from './keys/host-keys.ts';
import { KeyCommands } from './keys/key-commands.ts';
import { LogSink } from './logs/log-sink.ts';
import { routesOf } from './open-routes.ts';
import { createMetrics, type MetricSources, publishedSamples } from './operator/admin/metrics.ts';
import { AdminServer } from './operator/admin/server.ts';
import { AlarmBoard } from './operator/alarms/alarm-board.ts';
import { WATCHES } from './operator/alarms/watches.ts';
import { prepareRuntimeFolder } from './operator/command/runtime-folder.ts';
import { figuresOf } from './operator/figures.ts';
import { type HealthListener, healthOf } from './operator/health/listener.ts';
import type { HostStatus, MachineStatus, MeasuredStatus, Reason } from './operator/host-status.ts';
import { controlSocketPath, requestsSocketPath } from './routes.ts';

const FOLLOW_INTERVAL_MS = 1_000;
/** Of log records, for `acra-enclave logs`. */
const RECENT = { maxLines: 4_000, maxBytes: 4 * 1024 * 1024 };

export class HostProxy implements Service {
  readonly view: EnclaveView;
  readonly tlsKeyCertificate: TlsKeyCertificate;
  /** Asks for attestation on behalf of whoever may use the command socket. */
  readonly #operatorClient: EnclaveClient;
  /** Undefined where host-proxy.yaml names no folder for them. */
  readonly #keys: HostKeys | undefined;
  /** The newest log records, as JSON. */
  readonly recentRecords = new LineBuffer(RECENT);
  readonly #config: HostProxyConfig;
  readonly #routes: ReturnType<typeof routesOf>;
  readonly #clock: Clock;
  readonly #machine: () => MachineStatus | null;
  readonly #sink: LogSink;
  readonly #relay: Relay;
  readonly #gate: IngressGate;
  readonly #shedAlarm: ShedAlarm;
  readonly #control: ControlServer;
  readonly #admin: AdminServer;
  /** Undefined where host-proxy.yaml has no such section, as what follows. */
  readonly #health: HealthListener | undefined;
  readonly #attestation: AttestationListener | undefined;
  readonly #egress: HostEgress | undefined;
  readonly #follower: BackgroundTask;
  readonly #watcher: BackgroundTask;
  readonly #alarms: AlarmBoard;
  readonly #metricSources: MetricSources;
  readonly #startedMs: number;
  #started: Service[] = [];
  #isStopped = false;

  /**
   * @param machine how the enclave's machine is, where this process runs it
   * @throws HostProxyError HOST_LOG_FILE
   */
  constructor(config: HostProxyConfig, clock: Clock, machine: () => MachineStatus | null = () => null) {
    this.#config = config;
    this.#routes = routesOf(config);
    this.#clock = clock;
    this.#machine = machine;
    this.#sink = new LogSink({ level: config.logs.level, file: config.logs.file, clock, recent: this.recentRecords });
    this.#relay = new Relay({ logger: this.#sink });
    this.view = new EnclaveView(clock, config.statusStaleMs);
    this.#gate = new IngressGate({
      relay: this.#relay,
      routes: this.#routes.public,
      view: this.view,
      drainMs: config.drainMs,
      logger: this.#sink,
    });
    this.#shedAlarm = new ShedAlarm({
      counters: () => this.#publicCounters(),
      clock,
      logger: this.#sink,
      onChange: () => this.view.changed(),
    });
    this.#operatorClient = new EnclaveClient(requestsSocketPath(config), clock, OPERATOR);
    this.tlsKeyCertificate = new TlsKeyCertificate(this.#operatorClient);
    this.#keys = this.#createKeys();
    this.#control = new ControlServer({
      socketPath: controlSocketPath(config),
      maxFrameBytes: config.maxControlFrameBytes,
      view: this.view,
      sink: this.#sink,
    });
    this.#alarms = new AlarmBoard(WATCHES, clock);
    this.#startedMs = clock.nowMs();
    this.#metricSources = {
      status: () => this.#state(),
      alarms: () => this.#alarms.active,
      relayCounters: () => this.#relay.counters(),
      enclaveSamples: () => this.view.metrics?.samples ?? [],
      unwrittenLines: () => this.#sink.refused,
    };
    this.#admin = new AdminServer({
      listen: config.admin.listen,
      status: () => this.status(),
      metrics: createMetrics(this.#metricSources),
    });
    this.#health = healthOf(config, () => this.#isReady, clock, this.#sink);
    this.#attestation = attestationOf(config, clock, this.#sink);
    this.#egress = hostEgressOf(config, clock, this.#sink);
    const each = { clock, intervalMs: FOLLOW_INTERVAL_MS, onFailure: (error: unknown) => this.#broken(error) };
    this.#follower = repeatedTask(() => this.#followSilence(), each);
    this.#watcher = repeatedTask(() => this.#alarms.look(publishedSamples(this.#metricSources)), each);
  }

  #createKeys(): HostKeys | undefined {
    const folder = keysFolderOf(this.#config);
    if (folder === undefined) return undefined;
    return new HostKeys({
      folder,
      enclave: new EnclaveKeys(new EnclaveClient(requestsSocketPath(this.#config), this.#clock, KEYS)),
      view: this.view,
      clock: this.#clock,
      logger: this.#sink,
      onChange: () => this.view.changed(),
    });
  }

  /** @returns document and statement, as the attestation listener gives them. @throws HostProxyError; ReportedError */
  async attest(nonce: Buffer, signal: AbortSignal): Promise<object> {
    const answer = await this.#operatorClient.ask({ type: 'attest', nonce: nonce.toString('base64') }, signal);
    if (answer.type === 'refusal') throw new ReportedError(answer.code, answer.message);
    return toHttp(answer).body;
  }

  /** @throws HostProxyError HOST_KEYS_UNCONFIGURED */
  keys(): KeyCommands {
    if (this.#keys !== undefined) return new KeyCommands(this.#keys, this.view);
    throw new HostProxyError('HOST_KEYS_UNCONFIGURED', 'this instance keeps no keys');
  }

  get adminAddress(): TcpEndpoint {
    return this.#admin.address;
  }

  get logger(): Logger {
    return this.#sink;
  }

  /** Ready means that applications can connect. */
  get #isReady(): boolean {
    return this.view.serving && this.#gate.isOpen;
  }

  status(): HostStatus {
    const { status, alarms, relayCounters, enclaveSamples } = this.#metricSources;
    const figures = figuresOf(relaySamples(relayCounters()), declaredSamples(enclaveSamples()));
    return { ...status(), figures, alarms: [...alarms()] };
  }

  #state(): MeasuredStatus {
    const { address } = this.#gate;
    return {
      ...toldBy(this.view, this.#clock),
      release: RELEASE,
      processId: process.pid,
      startedMs: this.#startedMs,
      nowMs: this.#clock.nowMs(),
      ready: this.#isReady,
      reason: this.#reason(),
      publicAddress: address === undefined ? null : formatEndpoint(address),
      shedding: this.#shedAlarm.status,
      attestation: this.#attestation?.status ?? null,
      egress: this.#egress?.status ?? null,
      keys: this.#keys?.status ?? null,
      logs: this.view.logs,
      machine: this.#machine(),
    };
  }

  /** More than state and phase tell of why it is not ready. */
  #reason(): Reason | null {
    if (this.#isReady) return null;
    const { state, status } = this.view;
    if (state === 'unknown' || state === 'lost') return unheard(status, this.#machine());
    if (status?.phase === KEY_SET_PHASE) return this.#keysReason();
    const { errorCode = null, detail = null } = status ?? {};
    if (errorCode === null && detail === null) return this.#gate.failure;
    return { code: errorCode, message: detail ?? '' };
  }

  /** The enclave knows only that nobody has brought it a set that it takes. */
  #keysReason(): Reason | null {
    if (this.#keys !== undefined) return this.#keys.status.problem;
    return { code: 'HOST_KEYS_UNCONFIGURED', message: 'the enclave waits for a key set' };
  }

  #publicCounters(): ReturnType<Relay['counters']> {
    const counters = Object.entries(this.#relay.counters());
    return Object.fromEntries(counters.filter(([label]) => this.#routes.public.some((route) => route.label === label)));
  }

  /** Goes over to the file that the log's name stands for now, after whoever rotates logs has renamed it. */
  reopenLogs(): void {
    this.#sink.reopen();
    this.#sink.log('info', 'host-proxy.logs-reopened', {});
  }

  /** Asks the enclave for an ordered stop; false when it is not connected. */
  requestEnclaveStop(): boolean {
    return this.#control.requestStop();
  }

  /** The enclave's machine is gone. */
  enclaveEnded(): void {
    this.#control.disconnect();
    this.view.machineEnded();
  }

  /** @throws HostProxyError, RelayError; nothing is left behind then. */
  async start(signal: AbortSignal): Promise<void> {
    prepareRuntimeFolder(this.#config.runtimeFolder);
    try {
      for (const service of [
        this.#relay,
        this.#control,
        this.#admin,
        this.#health ?? [],
        this.#attestation ?? [],
        this.#egress ?? [],
      ].flat()) {
        await service.start(signal);
        this.#started.push(service);
      }
      for (const route of this.#routes.lasting) {
        const bound = await this.#relay.addRoute(route);
        this.#sink.log('info', 'route.opened', { route: route.label, address: formatEndpoint(bound) });
      }
      if (this.#keys !== undefined) {
        await this.#keys.start(signal);
        this.#started.push(this.#keys);
      }
      await this.#gate.rehearse();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.view.subscribe(() => this.#gate.follow());
    await this.#follower.start(signal);
    await this.#watcher.start(signal);
    this.#sink.log('info', 'host-proxy.started', { admin: formatEndpoint(this.adminAddress) });
  }

  /** Ends when the relay does; nothing is forwarded after that. */
  async whenFailed(): Promise<HostProxyError> {
    const cause = await this.#relay.whenFailed;
    return new HostProxyError('HOST_RELAY_DIED', 'the relay ended', { cause });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await Promise.all([this.#follower.stop(), this.#watcher.stop()]);
    await this.#gate.close();
    for (const service of this.#started.reverse()) await service.stop();
    this.#started = [];
    this.#sink.log('info', 'host-proxy.stopped', {});
    this.#sink.close();
  }

  /** An enclave that falls silent sends nothing that would tell, nor does the relay of what it sheds; so look. */
  #followSilence(): void {
    this.#gate.follow();
    this.#shedAlarm.look();
  }

  #broken(error: unknown): void {
    this.#sink.log('fatal', 'host-proxy.broken', { reason: describeError(error) });
  }
}
