/**
 * The enclave's half of the way to a target: its own list first, then host-proxy's answer, then once more its own list for the address that
 * host-proxy says it connected to. What really is behind a name stays the parent's word; TLS to the end is the program's matter.
 * Specification: docs/specs/egress.md, 3 and 4.
 */
import type { Socket } from 'node:net';
import type { RouteLimits } from '../../relay/route.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { encodeFrame } from '../../wire/control/frame.ts';
import { readAddress } from '../../wire/egress/address.ts';
import { EgressError } from '../../wire/egress/errors.ts';
import { type EgressList, judgeAddress, judgeTarget } from '../../wire/egress/judge.ts';
import { egressRequest, parseEgressAnswer } from '../../wire/egress/messages.ts';
import { readEgressFrame } from '../../wire/egress/read-frame.ts';
import { refusalError } from '../../wire/egress/refusal.ts';
import type { EgressTarget } from '../../wire/egress/target.ts';
import { formatAuthority } from '../../wire/endpoint.ts';

/** A half-open stream to host-proxy's end of the route. */
export type DialParent = (signal: AbortSignal) => Promise<Socket>;

export interface ReachDeps {
  readonly list: EgressList;
  readonly dialParent: DialParent;
  readonly limits: Pick<RouteLimits, 'maxConnections' | 'maxPending' | 'connectTimeoutMs'>;
  readonly clock: Clock;
}

export class Reach {
  readonly #deps: ReachDeps;
  /** Of the connections below, and of those that are not there yet. */
  #pending = 0;
  #dialling = 0;
  readonly #open = new Set<Socket>();
  #isClosed = false;

  constructor(deps: ReachDeps) {
    this.#deps = deps;
  }

  /** Connections that are open, or being made. */
  get size(): number {
    return this.#open.size + this.#dialling;
  }

  /** @throws EgressError; the signal's reason */
  async connect(target: EgressTarget, signal: AbortSignal): Promise<Socket> {
    const { list, limits, clock } = this.#deps;
    const verdict = judgeTarget(list, target);
    if (verdict.kind === 'refused') throw refusalError('enclave', target, verdict);
    if (this.size >= limits.maxConnections || this.#pending >= limits.maxPending)
      throw new EgressError('EGRESS_LIMIT', 'too many connections are open, or being made', {
        allowed: `${limits.maxConnections} open, ${limits.maxPending} of them being made`,
      });
    using deadline = new Deadline(clock, limits.connectTimeoutMs, signal, () =>
      tooLate(target, limits.connectTimeoutMs),
    );
    this.#pending += 1;
    try {
      return await this.#ask(target, deadline.signal);
    } finally {
      this.#pending -= 1;
    }
  }

  /** Cuts what is open or being made; nothing is reached after that. */
  close(): void {
    this.#isClosed = true;
    for (const socket of this.#open) socket.destroy();
  }

  async #ask(target: EgressTarget, signal: AbortSignal): Promise<Socket> {
    const socket = await this.#dial(signal);
    try {
      socket.write(encodeFrame(egressRequest(target)));
      const answer = await this.#answerOf(socket, signal);
      if (answer.type === 'refused')
        throw new EgressError(answer.code, answer.message, { found: formatAuthority(target) });
      this.#judgeAgain(target, answer.address);
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async #dial(signal: AbortSignal): Promise<Socket> {
    this.#dialling += 1;
    try {
      const socket = this.#keep(await this.#deps.dialParent(signal));
      if (this.#isClosed) socket.destroy();
      return socket;
    } catch (cause) {
      signal.throwIfAborted();
      throw new EgressError('EGRESS_PARENT', 'host-proxy does not take the connection', { cause });
    } finally {
      this.#dialling -= 1;
    }
  }

  async #answerOf(socket: Socket, signal: AbortSignal) {
    try {
      return parseEgressAnswer(await readEgressFrame(socket, signal));
    } catch (cause) {
      signal.throwIfAborted();
      throw new EgressError('EGRESS_PARENT', 'host-proxy does not answer as it should', { cause });
    }
  }

  /** The measured list holds for where a name leads too, as far as an honest parent is asked. */
  #judgeAgain(target: EgressTarget, told: string): void {
    const address = readAddress(told);
    if (address === undefined) throw new EgressError('EGRESS_PARENT', 'host-proxy tells no address');
    if (target.kind === 'address' && target.address.judged !== address.judged)
      throw new EgressError('EGRESS_PARENT', 'host-proxy connected to another address than it was asked for');
    const refusal = judgeAddress(this.#deps.list, address, target.port);
    if (refusal !== undefined) throw refusalError('enclave', target, refusal, told);
  }

  #keep(socket: Socket): Socket {
    this.#open.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#open.delete(socket));
    return socket;
  }
}

function tooLate(target: EgressTarget, connectTimeoutMs: number): EgressError {
  const found = formatAuthority(target);
  return new EgressError('EGRESS_TIMEOUT', `the target was not reached within ${connectTimeoutMs} ms`, { found });
}
