/** The daemon on the parent instance: forwards what the route table names, keeps the enclave's records, tells how it is. */
import { mkdirSync } from 'node:fs';
import type { HostProxyConfig } from '../config/host-proxy.ts';
import { Relay } from '../relay/relay.ts';
import { BackgroundTask } from '../runtime/background-task.ts';
import type { Clock } from '../runtime/clock.ts';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/log.ts';
import type { Service } from '../runtime/service.ts';
import { LineBuffer } from '../system/lines/line-buffer.ts';
import type { TcpEndpoint } from '../wire/endpoint.ts';
import { formatEndpoint } from '../wire/endpoint.ts';
import { ControlServer } from './enclave/control-server.ts';
import { IngressGate } from './enclave/ingress-gate.ts';
import { EnclaveView } from './enclave/view.ts';
import { HostProxyError } from './errors.ts';
import { LogSink } from './logs/log-sink.ts';
import { createMetrics } from './operator/admin/metrics.ts';
import { AdminServer } from './operator/admin/server.ts';
import { controlSocketPath, enclaveRoutes, publicRoute } from './routes.ts';

const FOLLOW_INTERVAL_MS = 1_000;
/** Of log records, for `acra-enclave logs`. */
const RECENT = { maxLines: 4_000, maxBytes: 4 * 1024 * 1024 };

export class HostProxy implements Service {
  readonly view: EnclaveView;
  /** The newest log records, as JSON. */
  readonly recentRecords = new LineBuffer(RECENT);
  readonly #config: HostProxyConfig;
  readonly #clock: Clock;
  readonly #sink: LogSink;
  readonly #relay: Relay;
  readonly #gate: IngressGate;
  readonly #control: ControlServer;
  readonly #admin: AdminServer;
  readonly #follower: BackgroundTask;
  #started: Service[] = [];
  #isStopped = false;

  /** @throws HostProxyError HOST_LOG_FILE */
  constructor(config: HostProxyConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#sink = new LogSink({ level: config.logs.level, file: config.logs.file, clock, recent: this.recentRecords });
    this.#relay = new Relay({ logger: this.#sink });
    this.view = new EnclaveView(clock, config.statusStaleMs);
    this.#gate = new IngressGate({
      relay: this.#relay,
      route: publicRoute(config),
      view: this.view,
      drainMs: config.drainMs,
      logger: this.#sink,
    });
    this.#control = new ControlServer({
      socketPath: controlSocketPath(config),
      maxFrameBytes: config.maxControlFrameBytes,
      view: this.view,
      sink: this.#sink,
    });
    this.#admin = new AdminServer({
      listen: config.admin.listen,
      view: this.view,
      gate: this.#gate,
      metrics: createMetrics(this.view, this.#relay, this.#sink),
    });
    this.#follower = new BackgroundTask(
      (signal) => this.#followSilence(signal),
      (error) => this.#sink.log('fatal', 'host-proxy.broken', { reason: describeError(error) }),
    );
  }

  get adminAddress(): TcpEndpoint {
    return this.#admin.address;
  }

  get logger(): Logger {
    return this.#sink;
  }

  /** Where applications connect, while the enclave serves. */
  get publicAddress(): string | undefined {
    return this.#gate.address && formatEndpoint(this.#gate.address);
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
    mkdirSync(this.#config.runtimeFolder, { recursive: true, mode: 0o700 });
    try {
      for (const service of [this.#relay, this.#control, this.#admin]) {
        await service.start(signal);
        this.#started.push(service);
      }
      for (const route of enclaveRoutes(this.#config)) {
        const bound = await this.#relay.addRoute(route);
        this.#sink.log('info', 'route.opened', { route: route.label, address: formatEndpoint(bound) });
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.view.subscribe(() => this.#gate.follow());
    await this.#follower.start(signal);
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
    await this.#follower.stop();
    await this.#gate.close();
    for (const service of this.#started.reverse()) await service.stop();
    this.#started = [];
    this.#sink.log('info', 'host-proxy.stopped', {});
    this.#sink.close();
  }

  /** An enclave that falls silent sends nothing that would tell; so look. */
  async #followSilence(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(FOLLOW_INTERVAL_MS, signal);
      this.#gate.follow();
    }
  }
}
