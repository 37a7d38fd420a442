/**
 * Attestation for whoever asks, on the public port: TLS at once with the one protocol `acra-attestation/1`, no certificate of the client,
 * one request, one answer, end. It has a TLS server, limits and places of its own, and reaches neither guards nor the database. What it
 * answers the supervisor makes, in one document for each request, which says what this TLS is encrypted to.
 *
 *   known by its ClientHello ──rate──▶ place ──▶ TLS ──▶ request ──▶ supervisor ──▶ answer ──▶ end
 *
 * Requests and answers: wire/requests/messages.ts; docs/specs/attestation-requests.md.
 */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { publicKeySha256 } from '../../../encoding/public-key-hash.ts';
import { SessionError } from '../../../postgres/session-error.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { TokenBucket, type TokenBucketOptions } from '../../../runtime/token-bucket.ts';
import { TokenBuckets } from '../../../runtime/token-buckets.ts';
import { encodeFrame } from '../../../wire/control/frame.ts';
import { ATTESTATION_ALPN, MAX_REQUEST_BYTES } from '../../../wire/requests/bounds.ts';
import type { EnclaveAnswer } from '../../../wire/requests/messages.ts';
import type { RequestAnswer, RequestQuestion, ServeFront } from '../../messages.ts';
import type { Program } from '../../program.ts';
import { sayGoodbye } from '../../say-goodbye.ts';
import { takeBytes } from '../../take-bytes.ts';
import { ClientTls } from '../client-tls.ts';
import type { Counts } from '../counts.ts';
import { Refused, reasonOf } from '../refused.ts';
import { boundedWire } from './bounded-wire.ts';
import type { AttestationLimits } from './limits.ts';
import type { AttestationOutcome } from './outcomes.ts';
import { type AttestationPlace, AttestationPlaces } from './places.ts';
import { Questions } from './questions.ts';

const CLIENT = 'the client';
const LENGTH_BYTES = 4;
/** Behind its ClientHello, which it may have to say once more: the end of the handshake and the request, in records as small as they like to be. */
const MAX_WIRE_BYTES = 8 * 1024;
/** A flood tells of itself this often. */
const TELL_AFTER_MS = 10_000;
const KEY_CHANGED: EnclaveAnswer = {
  type: 'refusal',
  code: 'REQUEST_KEY_CHANGED',
  message: 'the TLS key was changed meanwhile; ask again, over a new connection',
};
const OVERSIZED: EnclaveAnswer = {
  type: 'refusal',
  code: 'REQUEST_MALFORMED',
  message: `the request is too long: at most ${MAX_REQUEST_BYTES} bytes`,
};

export interface EndpointDeps extends Program<RequestQuestion> {
  readonly clock: Clock;
  readonly counts: Pick<Counts, 'attestation' | 'changed'>;
}

type EndpointOptions = Pick<ServeFront, 'certificatePem' | 'minTls'> & {
  readonly limits: Pick<ServeFront['limits'], 'attestation'>;
};

/** As many at once as in a second. */
function aSecondOf(perSecond: number): TokenBucketOptions {
  return { burst: perSecond, perSecond };
}

export class AttestationEndpoint {
  readonly #deps: EndpointDeps;
  readonly #limits: AttestationLimits;
  readonly #tls: ClientTls;
  /** Of the certificate that clients see now. */
  #keySha256: string;
  readonly #rate: TokenBucket;
  readonly #rateByAddress: TokenBuckets;
  readonly #places: AttestationPlaces;
  readonly #questions: Questions;
  #toldMs = Number.NEGATIVE_INFINITY;

  /** @param key of the server's certificate, in PEM */
  constructor(deps: EndpointDeps, { limits, certificatePem, minTls }: EndpointOptions, key: SecretBuffer) {
    this.#deps = deps;
    this.#limits = limits.attestation;
    this.#tls = new ClientTls({ certificatePem, minTls, key, protocol: ATTESTATION_ALPN });
    this.#keySha256 = keyOf(certificatePem);
    this.#rate = new TokenBucket(aSecondOf(this.#limits.maxPerSecond), deps.clock);
    this.#rateByAddress = new TokenBuckets(aSecondOf(this.#limits.maxPerSecondPerAddress), deps.clock);
    this.#places = new AttestationPlaces(this.#limits.maxConnections);
    this.#questions = new Questions(deps.send);
  }

  /** Now. */
  get connectionCount(): number {
    return this.#places.count;
  }

  /** What clients see from now on. @param key its private key, in PEM */
  show(certificatePem: string, key: SecretBuffer): void {
    this.#tls.show(certificatePem, key);
    this.#keySha256 = keyOf(certificatePem);
  }

  answered(answer: RequestAnswer): void {
    this.#questions.answered(answer);
  }

  /**
   * Never rejects; the connection is the endpoint's from here on.
   * @param socket all of whose bytes are still to be read, its ClientHello first
   */
  async serve(socket: Socket, helloBytes: number, address: string | undefined): Promise<void> {
    // An address first: what it has too much of is nothing that others wait for.
    if (!this.#rateByAddress.take(address) || !this.#rate.take()) {
      this.#deps.counts.attestation('rate');
      this.#tellFlood(address);
      socket.destroy();
      return;
    }
    const place = this.#places.enter(address, () => socket.destroy());
    if (!place) {
      this.#finish(socket, 'places', address);
      return;
    }
    this.#deps.counts.changed();
    socket.once('close', () => {
      place.leave();
      this.#deps.counts.changed();
    });
    const outcome = await this.#converse(socket, helloBytes, place).catch(outcomeOf);
    this.#finish(socket, place.isEvicted ? 'places' : outcome, address);
  }

  /** Up to the last byte of the answer. @throws as its stages */
  async #converse(socket: Socket, helloBytes: number, place: AttestationPlace): Promise<AttestationOutcome> {
    const over = new AbortController();
    socket.once('close', () => over.abort(new SessionError('08006', 'the client went away')));
    const wire = boundedWire(socket, 2 * helloBytes + MAX_WIRE_BYTES, () => {
      over.abort(new SessionError('08P01', 'more bytes than a request may take'));
      socket.destroy();
    });
    const { handshakeMs, requestMs, answerMs } = this.#limits;
    const shown = this.#keySha256;
    const secured = await this.#within(handshakeMs, over.signal, (signal) => this.#shakeHands(socket, wire, signal));
    const payload = await this.#within(requestMs, over.signal, (signal) => readRequest(secured, signal));
    place.asked();
    const answered = payload
      ? await this.#within(answerMs, over.signal, (signal) => this.#questions.ask(payload, signal))
      : OVERSIZED;
    // The supervisor names the key that it has told us of last, and not the one that this connection has.
    const answer = shown === this.#keySha256 ? answered : KEY_CHANGED;
    place.answered();
    sayGoodbye(secured, encodeFrame(answer), this.#deps.clock);
    return answer.type === 'attestation' ? 'answered' : 'refused';
  }

  /** Behind it one side may close before the other; within it nobody would be told, and it would last for its whole time. */
  async #shakeHands(socket: Socket, wire: Duplex, signal: AbortSignal): Promise<TLSSocket> {
    const ended = () => socket.destroy();
    socket.once('end', ended);
    try {
      return await this.#tls.accept(wire, signal);
    } finally {
      socket.off('end', ended);
    }
  }

  async #within<Result>(
    maxMs: number,
    over: AbortSignal,
    stage: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    using deadline = new Deadline(this.#deps.clock, maxMs, over, () => new Refused('late', '08006', 'too late'));
    return await stage(deadline.signal);
  }

  /** Whoever has an answer takes it first; nobody else gets a word. */
  #finish(socket: Socket, outcome: AttestationOutcome, address: string | undefined): void {
    this.#deps.counts.attestation(outcome);
    if (outcome === 'answered' || outcome === 'refused') return;
    socket.destroy();
    const level = outcome === 'internal' ? 'error' : 'info';
    this.#deps.logger.log(level, 'front.attestation-ended', { reason: outcome, address: address ?? null });
  }

  #tellFlood(address: string | undefined): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#toldMs < TELL_AFTER_MS) return;
    this.#toldMs = nowMs;
    const { maxPerSecond, maxPerSecondPerAddress } = this.#limits;
    const fields = { maxPerSecond, maxPerSecondPerAddress, address: address ?? null };
    this.#deps.logger.log('warn', 'front.attestation-flood', fields);
  }
}

function keyOf(certificatePem: string): string {
  return publicKeySha256(new X509Certificate(certificatePem));
}

/** @returns the payload of its frame, or undefined for one that is too long. @throws SessionError 08006; the signal's reason */
async function readRequest(secured: TLSSocket, signal: AbortSignal): Promise<Buffer | undefined> {
  const length = (await takeBytes(secured, LENGTH_BYTES, CLIENT, signal)).readUInt32BE();
  return length > MAX_REQUEST_BYTES ? undefined : takeBytes(secured, length, CLIENT, signal);
}

function outcomeOf(error: unknown): AttestationOutcome {
  const reason = reasonOf(error);
  return reason === 'late' || reason === 'gone' || reason === 'protocol' ? reason : 'internal';
}
