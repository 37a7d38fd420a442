/** `acra-enclave run` inside the test, with what it told the service manager. */
import { once } from 'node:events';
import { EnclaveHost } from '../../../../host-proxy/enclave-host.ts';
import { askDaemon } from '../../../../host-proxy/operator/command/client.ts';
import type { CommandReply, CommandRequest } from '../../../../host-proxy/operator/command/protocol.ts';
import type { MachineStatus } from '../../../../host-proxy/operator/host-status.ts';
import { SystemdError } from '../../../../host-proxy/systemd/errors.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import type { FakeMachine } from './fake-machine.ts';

export class RunningHost {
  readonly machine: FakeMachine;
  readonly host: EnclaveHost;
  readonly told: string[] = [];
  readonly stop = new AbortController();
  /** How often the service manager is still not to be told that the service is ready. */
  refusals = 0;

  constructor(machine: FakeMachine) {
    this.machine = machine;
    const tell = (text: string) => () => void this.told.push(text);
    this.host = new EnclaveHost({
      config: machine.config,
      clock: systemClock,
      random: systemRandom,
      onProgress: () => undefined,
      serviceManager: {
        ready: () => {
          if (this.refusals-- > 0) throw new SystemdError('SYSTEMD_SEND', 'EAGAIN');
          this.told.push('READY');
        },
        stopping: tell('STOPPING'),
        status: (text) => void this.told.push(text),
        watch: (_, signal) => once(signal, 'abort').then(() => undefined),
        close: () => undefined,
      },
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

  async ask(request: CommandRequest, onReply: (reply: CommandReply) => void = () => undefined) {
    const replies: CommandReply[] = [];
    const keep = (reply: CommandReply) => {
      replies.push(reply);
      onReply(reply);
    };
    const last = await askDaemon(this.machine.config.runtimeFolder, request, keep, new AbortController().signal);
    return { last, lines: replies.flatMap((reply) => (reply.type === 'line' ? [reply.text] : [])), replies };
  }
}
