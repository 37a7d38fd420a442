/** Messages between the handle on the main thread and the worker. */
import type { Endpoint } from '../../wire/endpoint.ts';
import type { RelayErrorCode } from '../errors.ts';
import type { RouteSpec } from '../route.ts';
import type { AddressAnswer } from './address-book.ts';
import type { WorkerRecord } from './worker-log.ts';

/** The process is about to exit: the worker has to end at once. */
export const EXIT_REQUESTED = 1;
/** The worker has closed everything. */
export const EXIT_DONE = 2;

/** What the worker is started with. */
export interface WorkerData {
  readonly port: import('node:worker_threads').MessagePort;
  /** One Int32: EXIT_REQUESTED, EXIT_DONE, or 0. */
  readonly exitFlag: SharedArrayBuffer;
  readonly isTracing: boolean;
}

export type Command =
  | { readonly kind: 'add-route'; readonly spec: RouteSpec; readonly counters: SharedArrayBuffer }
  | { readonly kind: 'remove-route'; readonly label: string; readonly drainMs: number }
  | { readonly kind: 'drain'; readonly drainMs: number }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'stop' };

/** What the relay holds at one moment; for tests and for a look inside. */
export interface RelaySnapshot {
  readonly listeners: number;
  readonly connections: number;
  /** Descriptors that are watched: listeners, sockets of connections, the wake-up. */
  readonly descriptors: number;
  readonly deadlines: number;
  readonly pendingBytes: number;
  readonly isAcceptPaused: boolean;
}

/** The value of each command's answer. */
export interface Answers {
  readonly 'add-route': Endpoint;
  readonly 'remove-route': { readonly cut: number };
  readonly drain: { readonly cut: number };
  readonly snapshot: RelaySnapshot;
  readonly stop: null;
}

export type ToWorker =
  | { readonly kind: 'command'; readonly id: number; readonly command: Command }
  | { readonly kind: 'addresses'; readonly host: string; readonly answer: AddressAnswer };

export interface Failure {
  readonly code: RelayErrorCode;
  readonly message: string;
  readonly found: string | undefined;
  readonly allowed: string | undefined;
}

export type FromWorker =
  /** `wakeFd`: an eventfd; whoever sends a message writes to it. The main thread closes it after the worker's end. */
  | { readonly kind: 'ready'; readonly wakeFd: number }
  | { readonly kind: 'done'; readonly id: number; readonly value: Answers[keyof Answers] }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'resolve'; readonly host: string }
  | { readonly kind: 'log'; readonly record: WorkerRecord };
