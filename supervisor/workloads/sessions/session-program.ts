/**
 * Front, guard or the ports of an application as a supervised child: launched as a user of its own, told over its channel what to serve, ready when it says that
 * it listens. What it prints is withheld but for the shape of an error: it has seen plaintext.
 */
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import type { EnclaveConfig } from '../../../config/enclave.ts';
import { untilAborted } from '../../../runtime/abort.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { LogEvent, Logger, LogLevel, LogValue } from '../../../runtime/log.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { TextLines } from '../../../system/lines/text-lines.ts';
import { Channel, type ChannelHandlers } from '../../../system/processes/channel.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import { nodeChildEnvironment } from '../../../system/processes/node-child.ts';
import type { ChildSpec, ProcessHandle } from '../../children/child.ts';
import type { Exit, ExitVerdict } from '../../children/exit.ts';
import { startProcess } from '../../children/process.ts';
import { shapeOfError } from './error-shape.ts';

const ENTRIES = {
  front: fileURLToPath(new URL('../../../sessions/front/main.ts', import.meta.url)),
  guard: fileURLToPath(new URL('../../../sessions/guard/main.ts', import.meta.url)),
  ports: fileURLToPath(new URL('../../../sessions/ports/main.ts', import.meta.url)),
} as const;

/** What it makes is for its own user and the group of whoever may connect (`openDoor`). */
const UMASK = 0o007;
const READY_TIMEOUT_MS = 20_000;

interface LogMessage {
  readonly type: 'log';
  readonly level: LogLevel;
  readonly event: LogEvent;
  readonly fields: Readonly<Record<string, LogValue>>;
}
interface ListeningMessage {
  readonly type: 'listening';
}

export interface SessionProgramDeps<Told> {
  readonly kind: keyof typeof ENTRIES;
  /** Names it in logs, beside others. */
  readonly name: string;
  readonly confinement: Confinement;
  readonly restart: EnclaveConfig['restart'];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly schema: z.ZodType<Told | LogMessage | ListeningMessage>;
  /** Before each launch. */
  readonly prepare: () => void;
  /** What each process of it is told first. */
  readonly serve: () => { readonly message: object; readonly secrets: readonly SecretBuffer[] };
  readonly onMessage: (message: Told) => void;
}

export class SessionProgram<Told extends { readonly type: string }> {
  readonly #deps: SessionProgramDeps<Told>;
  #channel: Channel | undefined;
  /** Of the process that was launched last. */
  #listening = Promise.withResolvers<void>();

  constructor(deps: SessionProgramDeps<Told>) {
    this.#deps = deps;
  }

  get spec(): ChildSpec {
    const { name, restart } = this.#deps;
    return {
      name,
      launch: () => this.#launch(),
      probe: (signal) => untilAborted(this.#listening.promise, signal),
      judgeExit,
      restart: { ...restart, probeTimeoutMs: READY_TIMEOUT_MS },
    };
  }

  /** Whether a process could hear what is sent. */
  get isThere(): boolean {
    return this.#channel !== undefined;
  }

  /** Lost where no process is there: the next is told what it needs when it begins. */
  send(message: object, secrets: readonly SecretBuffer[] = []): void {
    this.#channel?.send(message, secrets);
  }

  #launch(): ProcessHandle {
    const { kind, name, confinement, clock, prepare } = this.#deps;
    prepare();
    this.#listening = Promise.withResolvers();
    return startProcess({
      name,
      program: process.execPath,
      arguments: ['--disable-warning=ExperimentalWarning', ENTRIES[kind]],
      environment: nodeChildEnvironment(),
      secrets: [],
      hasChannel: true,
      umask: UMASK,
      confinement,
      clock,
      onStreams: (streams) => this.#watchOutput(streams),
      onChannel: (stream) => {
        this.#channel = this.#open(stream);
      },
    });
  }

  #open(stream: ConstructorParameters<typeof Channel>[0]): Channel {
    const { name, logger, clock, serve } = this.#deps;
    const handlers: ChannelHandlers = {
      onMessage: (message, secrets) => {
        for (const secret of secrets) secret.dispose();
        this.#take(channel, message);
      },
      onEnd: (fault) => {
        if (this.#channel === channel) this.#channel = undefined;
        if (fault) logger.log('error', 'child.channel-broken', { child: name, code: fault.code, reason: fault.found });
      },
    };
    const channel: Channel = new Channel(stream, handlers, clock);
    const { message, secrets } = serve();
    channel.send(message, secrets);
    return channel;
  }

  /** A program that says what it may not say is not ours any more: without its channel it ends. */
  #take(channel: Channel, message: unknown): void {
    const { name, logger, schema, onMessage } = this.#deps;
    const parsed = schema.safeParse(message);
    if (!parsed.success) {
      logger.log('error', 'child.channel-broken', { child: name, reason: 'a message that it may not send' });
      channel.close();
    } else if (isLog(parsed.data)) {
      logger.log(parsed.data.level, parsed.data.event, { ...parsed.data.fields, child: name });
    } else if (isListening(parsed.data)) {
      if (channel === this.#channel) this.#listening.resolve();
    } else if (channel === this.#channel) {
      onMessage(parsed.data);
    }
  }

  #watchOutput(streams: readonly (NodeJS.ReadableStream | null)[]): void {
    const { name, logger } = this.#deps;
    for (const stream of streams) {
      const lines = new TextLines((line) => {
        const shape = shapeOfError(line);
        logger.log('error', 'child.output', { child: name, text: shape ?? 'text withheld' });
      });
      stream?.on('data', (chunk: Buffer) => lines.push(chunk));
      stream?.on('end', () => lines.end());
    }
  }
}

function isLog(message: { readonly type: string }): message is LogMessage {
  return message.type === 'log';
}

function isListening(message: { readonly type: string }): message is ListeningMessage {
  return message.type === 'listening';
}

function judgeExit({ code, signal, notLaunched }: Exit): ExitVerdict {
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  const meaning = notLaunched ? 'it could not be launched' : `it ended ${how}`;
  return { code: 'CHILD_PROGRAM_ENDED', meaning, restart: true, alert: false };
}
