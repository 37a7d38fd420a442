/**
 * Ends clients' TLS, learns from the certificate whose session it is, and hands the session to the guard of that identity. It holds
 * the server's private key, and no data key; of PostgreSQL it reads only what comes before a session.
 *
 *   accepted ──whose──▶ request ──▶ TLS ──certificate──▶ start-up packet ──▶ guard: from here on bytes go through
 *      │                   └── request to cancel: to the database, on a connection of its own
 *      └── a ClientHello that names attestation alone: to an endpoint of its own (attestation/), which no session has to do with
 */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { clientIdFromCertificate } from '../../acra/client-id.ts';
import { AcraError } from '../../acra/errors.ts';
import { encodeError } from '../../postgres/error-response.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { addressKey } from '../../wire/networks.ts';
import { ATTESTATION_ALPN } from '../../wire/requests/bounds.ts';
import type { FromFront, GuardAnswer, RequestAnswer, ServeFront } from '../messages.ts';
import { encodeOpening, type SessionOpening } from '../opening.ts';
import type { Program } from '../program.ts';
import { sayGoodbye } from '../say-goodbye.ts';
import { AttestationEndpoint } from './attestation/endpoint.ts';
import { Cancels } from './cancels.ts';
import { type HelloVerdict, namesOnly } from './client-hello.ts';
import { ALPN, bindingOf, ClientTls, requireCertificate } from './client-tls.ts';
import { Counts } from './counts.ts';
import { dialGuard } from './dial-guard.ts';
import { EmptyRecords } from './empty-records.ts';
import { Failures } from './failures.ts';
import { readRequest, readStartup } from './first-packets.ts';
import { GuardDirectory } from './guards.ts';
import { join } from './join.ts';
import { peekHello, untilHello } from './peek-hello.ts';
import { type Place, Places } from './places.ts';
import { isFailedHandshake, type RefusalReason, Refused, reasonOf } from './refused.ts';
import { Revoked } from './revoked.ts';
import { readSource } from './source.ts';

export interface FrontDeps extends Program<FromFront> {
  readonly clock: Clock;
}

/** One connection on its way to a session. */
interface Arrival {
  readonly place: Place;
  /** As limits by address count it; hearsay. */
  address?: string;
  /** Of the whole way. */
  readonly login: Deadline;
  /** Until the client's first byte, behind what the parent says. */
  readonly first: Deadline;
  readonly acceptedMs: number;
  /** It was ended for something that is no stage's matter, and told of. */
  isEnded: boolean;
}

const tooLate = (what: string) => () => new Refused('late', '08006', `${what} took too long`);

export class Front {
  readonly #deps: FrontDeps;
  readonly #options: ServeFront;
  readonly #tls: ClientTls;
  readonly #endpoint: AttestationEndpoint;
  readonly #places: Places;
  readonly #guards: GuardDirectory;
  /** Of clients that have shown no certificate, and of those that have: the first take nothing from the second. */
  readonly #cancelsInClear: Cancels;
  readonly #cancels: Cancels;
  readonly #failures: Failures;
  readonly #emptyRecords: EmptyRecords;
  readonly #revoked: Revoked;
  readonly #counts: Counts;
  readonly #server: Server = createServer({ noDelay: true }, (socket) => void this.#serve(socket));

  /** @param key of the server's certificate, in PEM */
  constructor(deps: FrontDeps, options: ServeFront, key: SecretBuffer) {
    this.#deps = deps;
    this.#options = options;
    this.#tls = new ClientTls({ ...options, key, protocol: ALPN });
    this.#places = new Places(options.limits);
    const tell: (message: FromFront) => void = deps.send;
    this.#guards = new GuardDirectory((clientId) => tell({ type: 'guard-wanted', clientId }));
    this.#cancelsInClear = new Cancels({ ...deps, database: options.database });
    this.#cancels = new Cancels({ ...deps, database: options.database });
    this.#failures = new Failures(deps.clock, options.limits.maxFailuresPerSecond);
    this.#emptyRecords = new EmptyRecords(deps.clock);
    this.#revoked = new Revoked(options.revoked);
    this.#counts = new Counts(deps.clock, (counted) => {
      const { sessionCount: open, pendingCount: pending, evictedCount: evicted } = this.#places;
      tell({ type: 'counts', open, pending, evicted, attesting: this.#endpoint.connectionCount, ...counted });
    });
    this.#endpoint = new AttestationEndpoint({ ...deps, counts: this.#counts }, options, key);
    this.#server.once('close', () => this.#counts.stop());
  }

  async start(): Promise<void> {
    this.#server.listen(this.#options.listenPath);
    await once(this.#server, 'listening');
    this.#deps.send({ type: 'listening' });
  }

  /** No new connections; whoever is not in a session yet comes too late. */
  drain(): void {
    this.#server.close();
  }

  /** Sessions that there are keep theirs. @param key its private key, in PEM */
  show(certificatePem: string, key: SecretBuffer): void {
    this.#tls.show(certificatePem, key);
    this.#endpoint.show(certificatePem, key);
  }

  answered(answer: GuardAnswer | RequestAnswer): void {
    if (answer.type === 'answer') this.#endpoint.answered(answer);
    else this.#guards.answered(answer);
  }

  /** Never rejects. */
  async #serve(socket: Socket): Promise<void> {
    socket.on('error', () => undefined);
    const place = this.#places.enter(() => socket.destroy());
    socket.once('close', () => {
      place.leave();
      this.#counts.changed();
    });
    const { clock } = this.#deps;
    using login = new Deadline(clock, this.#options.limits.loginMs, undefined, tooLate('the login'));
    using first = new Deadline(clock, this.#options.limits.firstByteMs, login.signal, tooLate('the first byte'));
    const arrival: Arrival = { place, login, first, acceptedMs: clock.monotonicMs(), isEnded: false };
    let end: Duplex = socket;
    try {
      if (!(await this.#isHeard(socket, arrival))) return;
      const secured = await this.#secure(socket, arrival);
      if (!secured) return;
      this.#watch(socket, secured, arrival);
      end = secured;
      await this.#begin(secured, arrival);
    } catch (error) {
      this.#refuse(end, error, arrival);
    }
  }

  /**
   * Learns whose connection it is. @returns false when it is none for a session, or was closed: too many of that address have failed just
   * now. One for attestation takes no place of a session's, where its ClientHello has come already.
   */
  async #isHeard(socket: Socket, arrival: Arrival): Promise<boolean> {
    const source = await readSource(socket, arrival.first.signal);
    const address = source && addressKey(source.address);
    if (address !== undefined) arrival.address = address;
    if (address !== undefined && this.#failures.isOver(address)) {
      this.#counts.refused('failures');
      socket.destroy();
      return false;
    }
    if (this.#isForAttestation(peekHello(socket), socket, arrival)) return false;
    arrival.place.comesFrom(address);
    return true;
  }

  /** @returns whether it is the endpoint's; then it is there */
  #isForAttestation(hello: HelloVerdict, socket: Socket, { place, address }: Arrival): boolean {
    if (!namesOnly(hello, ATTESTATION_ALPN)) return false;
    place.serve();
    place.leave();
    void this.#endpoint.serve(socket, hello.helloBytes, address);
    return true;
  }

  /** @returns undefined when all is done: it was a request to cancel, or for attestation */
  async #secure(socket: Socket, arrival: Arrival): Promise<TLSSocket | undefined> {
    const { place, login, first } = arrival;
    const { startupMs, tlsMs } = this.#options.limits;
    using stages = new DisposableStack();
    const stage = (maxMs: number, what: string) =>
      stages.use(new Deadline(this.#deps.clock, maxMs, login.signal, tooLate(what)));
    const request = await readRequest(socket, {
      firstByte: first.signal,
      onFirstByte: () => {
        place.speaks();
        return stage(startupMs, 'the request for TLS').signal;
      },
    });
    if (request.kind === 'cancel') {
      place.serve();
      this.#cancelsInClear.pass(request.packet);
      socket.end();
      return undefined;
    }
    const secured = await this.#shakeHands(socket, request.isDirect, stage(tlsMs, 'the TLS handshake').signal, arrival);
    if (!secured) return undefined;
    if (!request.isDirect || secured.alpnProtocol === ALPN) return secured;
    const message = `TLS without a request must name the protocol ${ALPN} (ALPN)`;
    this.#refuse(secured, new SessionError('08P01', message), arrival);
    return undefined;
  }

  /** @returns undefined when it is for attestation. @throws as ClientTls.accept */
  async #shakeHands(
    socket: Socket,
    isDirect: boolean,
    signal: AbortSignal,
    arrival: Arrival,
  ): Promise<TLSSocket | undefined> {
    try {
      if (isDirect && this.#isForAttestation(await untilHello(socket, signal), socket, arrival)) return undefined;
      return await this.#tls.accept(socket, signal);
    } catch (error) {
      // A word in clear has no place where TLS has begun.
      socket.destroy();
      throw error;
    }
  }

  /** Session or not, until it ends. It gets no last word, and its address is unheard for a second: each of them would cost more. */
  #watch(socket: Socket, secured: TLSSocket, arrival: Arrival): void {
    if (socket.destroyed) return;
    const stop = this.#emptyRecords.watch(socket, secured, () => {
      socket.destroy();
      const error = new SessionError('08P01', 'too many TLS records that say nothing');
      this.#refuse(socket, error, arrival, this.#options.limits.maxFailuresPerSecond);
      arrival.isEnded = true;
    });
    socket.once('close', stop);
  }

  async #begin(socket: TLSSocket, { place, login, acceptedMs }: Arrival): Promise<void> {
    const { clock } = this.#deps;
    const { startupMs, loginMs } = this.#options.limits;
    using startup = new Deadline(clock, startupMs, login.signal, tooLate('the start-up packet'));
    const packet = await readStartup(socket, startup.signal);
    const certificate = requireCertificate(socket, this.#revoked);
    if (packet.kind === 'cancel') {
      place.serve();
      this.#cancels.pass(packet.packet);
      socket.end();
      return;
    }
    const clientId = this.#clientIdOf(certificate.toString());
    place.admit(clientId);
    this.#counts.changed();
    const guard = await this.#reach(clientId, login.signal);
    const opening: SessionOpening = {
      startup: packet.startup,
      certificateEndsMs: certificate.validToDate.getTime(),
      channelBinding: bindingOf(socket),
      loginMs: Math.max(1, loginMs - (clock.monotonicMs() - acceptedMs)),
    };
    guard.write(encodeOpening(opening));
    join(socket, guard, clock);
  }

  #clientIdOf(pem: string): string {
    try {
      return clientIdFromCertificate(pem, this.#options.clientIdFrom);
    } catch (error) {
      if (!(error instanceof AcraError)) throw error;
      throw new SessionError('28000', error.message);
    }
  }

  /** A guard that is started anew listens where the last one did; where nobody does the supervisor is asked once more. */
  async #reach(clientId: string, signal: AbortSignal): Promise<Socket> {
    for (const isLast of [false, true]) {
      const socket = await dialGuard(await this.#guards.pathOf(clientId, signal), signal);
      if (socket) return socket;
      if (!isLast) this.#guards.forget(clientId);
    }
    throw new SessionError('57P03', 'the program that serves this client is not there; try again');
  }

  /** @param failures that it counts for, if it is one */
  #refuse(end: Duplex, error: unknown, { address, place, isEnded }: Arrival, failures = 1): void {
    // Counted as that, and gone.
    if (place.isEvicted || isEnded) return;
    const isKnown = error instanceof SessionError;
    const { sqlState, message } = isKnown ? error : { sqlState: 'XX000', message: 'an error of acra-enclave itself' };
    const kind = error instanceof Error ? error.name : typeof error;
    const { logger, clock } = this.#deps;
    const fields = { sqlState, reason: isKnown ? message : kind, address: address ?? null };
    logger.log(isKnown ? 'info' : 'error', 'front.refused', fields);
    this.#count(reasonOf(error), address, failures);
    if (!end.destroyed) sayGoodbye(end, encodeError('FATAL', sqlState, message), clock);
  }

  #count(reason: RefusalReason, address: string | undefined, failures: number): void {
    this.#counts.refused(reason);
    if (address === undefined || !isFailedHandshake(reason) || !this.#failures.note(address, failures)) return;
    const { maxFailuresPerSecond } = this.#options.limits;
    this.#deps.logger.log('warn', 'front.unheard', { address, maxFailuresPerSecond });
  }
}
