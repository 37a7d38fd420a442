/**
 * One way into an application where TLS ends in the enclave: from a connection to a client that the program may have.
 *
 *   accepted ──whose──▶ ClientHello ──▶ TLS ──certificate──▶ client: its bytes (tcp.ts) or requests (http/) go to the program
 *                          └── names attestation alone: to the endpoint for that, which no client of a program has to do with
 *
 * The parent says whose connection it is (decision 18), which is hearsay. Whoever is refused gets no word but TLS's own: which one would
 * be understood, only the program knows. Node tells no client why its certificate is not taken; the connection just ends.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SessionError } from '../../postgres/session-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import type { Logger } from '../../runtime/log.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { addressKey } from '../../wire/networks.ts';
import type { Source } from '../../wire/proxy-protocol.ts';
import { ATTESTATION_ALPN } from '../../wire/requests/bounds.ts';
import type { AttestationEndpoint } from '../front/attestation/endpoint.ts';
import { type HelloVerdict, namesOnly } from '../front/client-hello.ts';
import { ClientTls, requireCertificate } from '../front/client-tls.ts';
import { EmptyRecords } from '../front/empty-records.ts';
import { Failures } from '../front/failures.ts';
import { peekHello, untilHello } from '../front/peek-hello.ts';
import { type Place, Places } from '../front/places.ts';
import { byReason, isFailedHandshake, type RefusalReason, Refused, reasonOf } from '../front/refused.ts';
import { Revoked } from '../front/revoked.ts';
import { readSource } from '../front/source.ts';
import { untilWallTime } from '../until-wall-time.ts';
import type { Behind } from './behind.ts';
import { clientCertificateOf, type PortClient } from './client.ts';
import { HttpProgram } from './http/http-program.ts';
import type { PortCounts, ServedPort } from './messages.ts';
import { TcpProgram } from './tcp-program.ts';

/** As the front's default (ingress.limits.maxFailuresPerSecond). */
const MAX_FAILURES_A_SECOND = 20;
const ALPN = { http: 'http/1.1', tcp: undefined } as const;

export interface PortDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly endpoint: Pick<AttestationEndpoint, 'serve'>;
  /** Something of the counts has changed. */
  readonly changed: () => void;
}

interface Arrival {
  readonly place: Place;
  address: string | undefined;
}

export class Port {
  readonly #deps: PortDeps;
  readonly #port: ServedPort;
  readonly #tls: ClientTls;
  readonly #places: Places;
  readonly #failures: Failures;
  readonly #emptyRecords: EmptyRecords;
  readonly #revoked: Revoked;
  readonly #program: Behind;
  readonly #refused = byReason(() => 0);
  readonly #server: Server = createServer({ noDelay: true }, (socket) => void this.#accept(socket));

  /** @param key of the certificate, in PEM */
  constructor(deps: PortDeps, port: ServedPort, certificatePem: string, key: SecretBuffer) {
    this.#deps = deps;
    this.#port = port;
    this.#tls = new ClientTls({ ...port, certificatePem, key, protocol: ALPN[port.protocol] });
    const { maxPending, maxConnections: maxSessions, maxConnectionsPerAddress } = port.limits;
    const maxSessionsPerClient = maxSessions;
    this.#places = new Places({ maxPending, maxSessions, maxSessionsPerClient, maxConnectionsPerAddress });
    this.#failures = new Failures(deps.clock, MAX_FAILURES_A_SECOND);
    this.#emptyRecords = new EmptyRecords(deps.clock);
    this.#revoked = new Revoked(port.revoked);
    const refused = (reason: RefusalReason) => this.#count(reason);
    this.#program = new { tcp: TcpProgram, http: HttpProgram }[port.protocol]({ ...deps, port, refused });
  }

  get name(): string {
    return this.#port.name;
  }

  get counts(): PortCounts {
    const { sessionCount: open, pendingCount: pending, evictedCount: evicted } = this.#places;
    return { open, pending, evicted, refused: { ...this.#refused } };
  }

  async start(): Promise<void> {
    this.#server.listen(this.#port.listenPath);
    await once(this.#server, 'listening');
  }

  show(certificatePem: string, key: SecretBuffer): void {
    this.#tls.show(certificatePem, key);
  }

  drain(): void {
    this.#server.close();
    this.#program.drain();
  }

  /** Never rejects. */
  async #accept(socket: Socket): Promise<void> {
    socket.on('error', () => undefined);
    const place = this.#places.enter(() => socket.destroy());
    socket.once('close', () => {
      place.leave();
      this.#deps.changed();
    });
    this.#deps.changed();
    const arrival: Arrival = { place, address: undefined };
    try {
      const secured = await this.#secure(socket, arrival);
      if (secured) this.#program.serve(secured.socket, secured.client, place);
    } catch (error) {
      socket.destroy();
      this.#refuse(error, arrival);
    }
  }

  /** @returns undefined where the connection is for attestation, or is closed unheard */
  async #secure(
    socket: Socket,
    arrival: Arrival,
  ): Promise<{ readonly socket: TLSSocket; readonly client: PortClient } | undefined> {
    const { clock } = this.#deps;
    const late = () => new Refused('late', '08006', 'the handshake took too long');
    using deadline = new Deadline(clock, this.#port.limits.handshakeMs, undefined, late);
    const { signal } = deadline;
    const source = await readSource(socket, signal);
    arrival.address = source && addressKey(source.address);
    if (!this.#isHeard(socket, arrival)) return undefined;
    if (this.#isForAttestation(await untilHello(socket, signal), socket, arrival)) return undefined;
    arrival.place.speaks();
    const secured = await this.#tls.accept(socket, signal);
    this.#watch(socket, secured, arrival);
    const client = this.#clientOf(secured, source);
    arrival.place.admit(arrival.address ?? '');
    this.#deps.changed();
    // Until here whoever ends his side has nothing to wait for.
    secured.allowHalfOpen = true;
    return { socket: secured, client };
  }

  /** @returns false when it is for attestation, and takes no place, or was closed: too many of that address have failed just now */
  #isHeard(socket: Socket, arrival: Arrival): boolean {
    const { address, place } = arrival;
    if (address !== undefined && this.#failures.isOver(address)) {
      this.#count('failures');
      socket.destroy();
      return false;
    }
    if (this.#isForAttestation(peekHello(socket), socket, arrival)) return false;
    place.comesFrom(address);
    return true;
  }

  #isForAttestation(hello: HelloVerdict, socket: Socket, { place, address }: Arrival): boolean {
    if (!namesOnly(hello, ATTESTATION_ALPN)) return false;
    place.serve();
    place.leave();
    void this.#deps.endpoint.serve(socket, hello.helloBytes, address);
    return true;
  }

  /** From here to its end: for records that say nothing, and for the end of its certificate. @throws SessionError 28000 */
  #clientOf(secured: TLSSocket, source: Source | undefined): PortClient {
    if (this.#port.clientCaPem === undefined) return { source, certificate: undefined };
    const certificate = clientCertificateOf(requireCertificate(secured, this.#revoked));
    const closed = new AbortController();
    secured.once('close', () => closed.abort());
    untilWallTime(certificate.endsMs, this.#deps.clock, closed.signal).then(
      () => secured.destroy(),
      () => undefined,
    );
    return { source, certificate };
  }

  #watch(socket: Socket, secured: TLSSocket, arrival: Arrival): void {
    const stop = this.#emptyRecords.watch(socket, secured, () => {
      socket.destroy();
      const error = new SessionError('08P01', 'too many TLS records that say nothing');
      this.#refuse(error, arrival, MAX_FAILURES_A_SECOND);
    });
    socket.once('close', stop);
  }

  #refuse(error: unknown, { address, place }: Arrival, failures = 1): void {
    // Counted as that.
    if (place.isEvicted) return;
    const isKnown = error instanceof SessionError;
    const reason = isKnown ? error.message : error instanceof Error ? error.name : typeof error;
    const { logger } = this.#deps;
    const fields = { port: this.name, reason, address: address ?? null };
    logger.log(isKnown ? 'info' : 'error', 'port.refused', fields);
    const counted = reasonOf(error);
    this.#count(counted);
    if (address === undefined || !isFailedHandshake(counted) || !this.#failures.note(address, failures)) return;
    logger.log('warn', 'port.unheard', { port: this.name, address, maxFailuresPerSecond: MAX_FAILURES_A_SECOND });
  }

  #count(reason: RefusalReason): void {
    this.#refused[reason] += 1;
    this.#deps.changed();
  }
}
