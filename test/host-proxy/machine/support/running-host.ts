/** `acra-enclave run` inside the test, with what it told the service manager. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { EnclaveHost } from '../../../../host-proxy/enclave-host.ts';
import { askDaemon } from '../../../../host-proxy/operator/command/client.ts';
import type { CommandReply, CommandRequest } from '../../../../host-proxy/operator/command/protocol.ts';
import { commandSocketPath } from '../../../../host-proxy/operator/command/runtime-folder.ts';
import type { MachineStatus } from '../../../../host-proxy/operator/host-status.ts';
import { SystemdError } from '../../../../host-proxy/systemd/errors.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { errorCode } from '../../../../runtime/errors.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import { untilChanged } from '../../../support/watched-files.ts';
import type { FakeMachine } from './fake-machine.ts';

export class RunningHost {
  readonly machine: FakeMachine;
  readonly host: EnclaveHost;
  readonly told: string[] = [];
  readonly stop = new AbortController();
  /** How often the service manager is still not to be told that the service is ready. */
  refusals = 0;
  readonly #listening = new Set<() => void>();

  constructor(machine: FakeMachine) {
    this.machine = machine;
    const tell = (text: string) => () => this.#hear(text);
    this.host = new EnclaveHost({
      config: machine.config,
      clock: systemClock,
      random: systemRandom,
      onProgress: () => undefined,
      serviceManager: {
        ready: () => {
          if (this.refusals-- > 0) throw new SystemdError('SYSTEMD_SEND', 'EAGAIN');
          this.#hear('READY');
        },
        stopping: tell('STOPPING'),
        status: (text) => this.#hear(text),
        watch: (_, signal) => once(signal, 'abort').then(() => undefined),
        close: () => undefined,
      },
    });
  }

  #hear(text: string): void {
    this.told.push(text);
    for (const look of this.#listening) look();
  }

  /** Resolves once the service manager has been told so. */
  untilTold(text: string): Promise<void> {
    return new Promise((resolve) => {
      const look = () => this.told.includes(text) && resolve();
      this.#listening.add(look);
      look();
    });
  }

  run(): Promise<void> {
    return this.host.run(this.stop.signal);
  }

  untilStage(stage: MachineStatus['stage']): Promise<void> {
    return new Promise((resolve) => {
      const look = () => this.host.status().machine?.stage === stage && resolve();
      this.host.subscribe(look);
      look();
    });
  }

  /** Serving, and open for applications. */
  untilOpen(): Promise<void> {
    return new Promise((resolve) => {
      const look = () => this.host.status().publicAddress !== null && resolve();
      this.host.subscribe(look);
      look();
    });
  }

  /** Resolves once the daemon answers commands; that of the machine may be another process. */
  async untilReachable(): Promise<void> {
    const path = commandSocketPath(this.machine.config.runtimeFolder);
    await untilChanged(path, () => existsSync(path));
    // Between bind(2) and listen(2) the socket is there and refuses.
    while (!(await this.#answers())) await new Promise(setImmediate);
  }

  async #answers(): Promise<boolean> {
    try {
      await this.ask({ command: 'status' });
      return true;
    } catch (error) {
      if (errorCode(error) === 'HOST_NOT_RUNNING') return false;
      throw error;
    }
  }

  async ask(request: CommandRequest, onReply: (reply: CommandReply) => void = () => undefined) {
    const replies: CommandReply[] = [];
    const keep = (reply: CommandReply) => {
      replies.push(reply);
      onReply(reply);
    };
    const path = commandSocketPath(this.machine.config.runtimeFolder);
    const last = await askDaemon(path, request, keep, new AbortController().signal);
    return { last, lines: replies.flatMap((reply) => (reply.type === 'line' ? [reply.text] : [])), replies };
  }
}
