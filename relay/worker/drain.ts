/** Waits until the routes that are on their way out have no connections left, or cuts these at the deadline. */
import { Side } from './connection.ts';
import type { Engine, Timed } from './engine.ts';
import type { RouteDrain, RouteState } from './route-state.ts';

export class Drain implements RouteDrain, Timed {
  deadlineMs = 0;
  heapIndex = -1;
  readonly #routes: readonly RouteState[];
  readonly #onDone: (cut: number) => void;
  #isDone = false;

  /** The routes' listeners are closed already. `onDone` is called once, with the number of connections that were cut. */
  constructor(routes: readonly RouteState[], onDone: (cut: number) => void) {
    this.#routes = routes;
    this.#onDone = onDone;
  }

  start(engine: Engine, drainMs: number): void {
    for (const route of this.#routes) route.drain = this;
    engine.deadlines.set(this, engine.nowMs + drainMs);
    this.onConnectionClosed(engine);
  }

  onConnectionClosed(engine: Engine): void {
    if (this.#routes.every((route) => route.active === 0)) this.#finish(engine, 0);
  }

  onDeadline(engine: Engine): void {
    this.cut(engine);
  }

  abandon(engine: Engine): void {
    this.cut(engine);
  }

  /** Ends at once. */
  cut(engine: Engine): void {
    if (this.#isDone) return;
    this.#isDone = true;
    engine.deadlines.clear(this);
    this.#onDone(cutConnections(engine, this.#routes));
  }

  #finish(engine: Engine, cut: number): void {
    if (this.#isDone) return;
    this.#isDone = true;
    engine.deadlines.clear(this);
    this.#onDone(cut);
  }
}

/** Closes every connection of the routes. @returns how many there were. */
export function cutConnections(engine: Engine, routes: readonly RouteState[]): number {
  const connections = new Set(
    [...engine.poller.targets()]
      .filter((target) => target instanceof Side)
      .map((side) => side.connection)
      .filter((connection) => routes.includes(connection.route)),
  );
  for (const connection of connections) connection.close(engine, 'cut', '');
  return connections.size;
}
