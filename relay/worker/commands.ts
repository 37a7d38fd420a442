/** Carries out what the main thread asks for. Woken by an eventfd; the messages wait on a port. */
import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import { describeError } from '../../runtime/errors.ts';
import { eventfd, NativeBuffer, readDescriptor } from '../../system/libc/socket-calls.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK, EPOLLIN } from '../../system/libc/socket-constants.ts';
import { RelayError } from '../errors.ts';
import type { AddressAnswer } from './address-book.ts';
import { Side } from './connection.ts';
import type { Engine, NameWaiter, Target } from './engine.ts';
import type { Answers, Command, Failure, FromWorker, RelaySnapshot, ToWorker } from './protocol.ts';
import { EXIT_REQUESTED } from './protocol.ts';
import type { RouteTable } from './route-table.ts';

function toFailure(error: unknown): Failure {
  if (error instanceof RelayError) {
    const { code, message, found, allowed } = error;
    return { code, message, found, allowed };
  }
  return { code: 'RELAY_BIND_FAILED', message: describeError(error), found: undefined, allowed: undefined };
}

function snapshotOf(engine: Engine, routes: RouteTable): RelaySnapshot {
  const sides = [...engine.poller.targets()].filter((target) => target instanceof Side);
  return {
    listeners: routes.listening().length,
    connections: routes.connections,
    descriptors: engine.poller.registered,
    deadlines: engine.deadlines.size,
    pendingBytes: sides.reduce((sum, { pending }) => sum + (pending?.heldBytes ?? 0), 0),
    isAcceptPaused: engine.gate.isPaused,
  };
}

/** What goes wrong in one of the connections that waited for a name is its own affair. */
function resumeOne(engine: Engine, waiter: NameWaiter, answer: AddressAnswer): void {
  try {
    waiter.onAddresses(engine, answer);
  } catch (error) {
    waiter.abandon(engine, error);
  }
}

export class CommandChannel implements Target {
  readonly fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  serial = 0;
  readonly #port: MessagePort;
  readonly #exitFlag: Int32Array;
  readonly #routes: RouteTable;
  readonly #counter = new NativeBuffer(8);

  constructor(parts: { port: MessagePort; exitFlag: SharedArrayBuffer; routes: RouteTable }) {
    this.#port = parts.port;
    this.#exitFlag = new Int32Array(parts.exitFlag);
    this.#routes = parts.routes;
  }

  start(engine: Engine): void {
    if (this.fd < 0 || engine.poller.add(this, EPOLLIN) !== 0) {
      throw new RelayError('RELAY_START_FAILED', 'no eventfd for the wake-up');
    }
    this.post({ kind: 'ready', wakeFd: this.fd });
    this.#stopIfExiting(engine);
  }

  post(message: FromWorker): void {
    this.#port.postMessage(message);
  }

  onEvents(engine: Engine): void {
    readDescriptor(this.fd, this.#counter.bytes, this.#counter.bytes.length);
    this.#stopIfExiting(engine);
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      this.#receive(engine, next.message as ToWorker);
    }
  }

  abandon(_engine: Engine, error: unknown): void {
    throw error;
  }

  #stopIfExiting(engine: Engine): void {
    if (Atomics.load(this.#exitFlag, 0) === EXIT_REQUESTED) engine.stop();
  }

  #receive(engine: Engine, message: ToWorker): void {
    if (message.kind === 'command') {
      try {
        this.#carryOut(engine, message.id, message.command);
      } catch (error) {
        this.post({ kind: 'failed', id: message.id, failure: toFailure(error) });
      }
      return;
    }
    const { host, answer } = message;
    for (const waiter of engine.addresses.learn(host, answer, engine.nowMs)) resumeOne(engine, waiter, answer);
  }

  #carryOut(engine: Engine, id: number, command: Command): void {
    const done = (value: Answers[keyof Answers]) => this.post({ kind: 'done', id, value });
    switch (command.kind) {
      case 'add-route':
        done(this.#routes.add(command.spec, command.counters));
        return;
      case 'remove-route':
        this.#routes.remove([command.label], command.drainMs, (cut) => done({ cut }));
        return;
      case 'drain':
        this.#routes.remove(this.#routes.listening(), command.drainMs, (cut) => done({ cut }));
        return;
      case 'snapshot':
        done(snapshotOf(engine, this.#routes));
        return;
      case 'stop':
        this.#routes.close();
        engine.stop();
        done(null);
        return;
    }
  }
}
