/** An engine of the relay on scripted sockets, with one route and a clock that the test moves. */

import type { RouteCounters } from '../../../relay/counters.ts';
import { createCounters, readCounters } from '../../../relay/counters.ts';
import type { RouteSpec } from '../../../relay/route.ts';
import { AcceptGate } from '../../../relay/worker/accept-gate.ts';
import { AddressBook } from '../../../relay/worker/address-book.ts';
import { admit } from '../../../relay/worker/admission.ts';
import type { NameWaiter } from '../../../relay/worker/engine.ts';
import { Engine } from '../../../relay/worker/engine.ts';
import { RouteState } from '../../../relay/worker/route-state.ts';
import type { WorkerRecord } from '../../../relay/worker/worker-log.ts';
import { WorkerLog } from '../../../relay/worker/worker-log.ts';
import { ScriptedPoll, ScriptedSocket, ScriptedSockets } from './scripted-sockets.ts';

export class ScriptedEngine {
  readonly sockets = new ScriptedSockets();
  readonly poll = new ScriptedPoll();
  readonly records: WorkerRecord[] = [];
  readonly asked: string[] = [];
  readonly engine: Engine;
  readonly route: RouteState;
  readonly #counters = createCounters();
  #nowMs = 0;

  constructor(spec: RouteSpec) {
    this.route = new RouteState(spec, this.#counters);
    const log = new WorkerLog({
      post: (record) => this.records.push(record),
      nowMs: () => this.#nowMs,
      isTracing: true,
    });
    this.engine = new Engine({
      poller: this.poll,
      sockets: this.sockets,
      readClockMs: () => this.#nowMs,
      log,
      addresses: new AddressBook<NameWaiter>((host) => this.asked.push(host)),
      gate: new AcceptGate(this.sockets),
    });
  }

  get counters(): RouteCounters {
    return readCounters(this.#counters);
  }

  /** Why the last connection closed, as the log tells. */
  get closeReason(): unknown {
    return this.records.findLast(({ event }) => event === 'relay.closed')?.fields['reason'];
  }

  /** A downstream connects. @param address of its peer, where limits by address are tested. */
  connect(down = new ScriptedSocket(), address?: string): ScriptedSocket {
    admit(this.engine, this.route, this.sockets.add(down), { cid: undefined, address });
    return down;
  }

  /** One batch of events. */
  turn(...events: readonly (readonly [socket: ScriptedSocket, flags: number])[]): void {
    for (const [socket, flags] of events) {
      for (const [fd, known] of this.sockets.all) if (known === socket) this.poll.report(fd, flags);
    }
    this.engine.turn();
  }

  /** A turn later, without events. */
  pass(durationMs: number): void {
    this.#nowMs += durationMs;
    this.engine.turn();
  }
}
