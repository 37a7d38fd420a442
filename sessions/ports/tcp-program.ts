/**
 * A program that is given bytes: one connection to it for each client, each way at the speed of its slower end. The end of one side is
 * passed on while the other goes on. A client's end is TLS's or the connection's: Node does not tell them apart, so that the parent can
 * cut a stream where it likes; a protocol that must notice says itself how long its messages are. Who has said nothing rests.
 */
import type { TLSSocket } from 'node:tls';
import { join } from '../front/join.ts';
import { type Behind, type BehindDeps, type Rest, tellAway } from './behind.ts';
import type { PortClient } from './client.ts';
import { dialProgram } from './dial-program.ts';

export class TcpProgram implements Behind {
  readonly #deps: BehindDeps;

  constructor(deps: BehindDeps) {
    this.#deps = deps;
  }

  serve(secured: TLSSocket, client: PortClient, rest: Rest): void {
    const { port, clock } = this.#deps;
    rest.rests();
    dialProgram(port, client, clock).then(
      (program) => {
        // What breaks must not look as if it had come to its end.
        program.once('error', () => secured.destroy());
        secured.once('error', () => program.resetAndDestroy());
        secured.once('data', () => rest.works());
        join(secured, program, clock);
      },
      (error: unknown) => {
        secured.destroy();
        tellAway(this.#deps, error);
      },
    );
  }

  /** Nobody can tell when one is idle: program, client or supervisor end it. */
  drain(): void {}
}
