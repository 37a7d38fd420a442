/**
 * A named listener of the parent where anybody asks over HTTP what the enclave is. It is plain: a document proves itself, and its
 * reader trusts neither this daemon nor the network. Strangers may do what they like here, so that everything has a bound, and
 * connections that ask nothing are ended: what forwards sessions runs on another thread, and is not held up.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { HostProxyConfig } from '../../config/host-proxy.ts';
import type { Clock } from '../../runtime/clock.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { OldestFirst } from '../../runtime/oldest-first.ts';
import type { Service } from '../../runtime/service.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { formatEndpoint } from '../../wire/endpoint.ts';
import { HostProxyError } from '../errors.ts';
import { boundAddress, closeServer, listenOn, takePlace } from '../http-server.ts';
import type { AttestationStatus } from '../operator/host-status.ts';
import { requestsSocketPath } from '../routes.ts';
import { EnclaveClient, STRANGERS } from './enclave-client.ts';
import { failureToHttp, type HttpAnswer, questionOf, STATUSES, toHttp } from './http-answers.ts';
import { type Rates, RequestRates } from './request-rates.ts';

export const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 4_096;
const MAX_HEADERS = 50;
/** For all headers; the whole request is no more. */
const REQUEST_MS = 5_000;
/** How often connections are looked at that say nothing. */
const CHECK_MS = 1_000;
/** Between two requests of one connection. */
const KEEP_ALIVE_MS = 2_000;

export interface ListenerDeps {
  readonly listen: TcpEndpoint;
  readonly rates: Rates;
  readonly client: Pick<EnclaveClient, 'ask'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Undefined where host-proxy.yaml has no such section. */
export function attestationOf(config: HostProxyConfig, clock: Clock, logger: Logger): AttestationListener | undefined {
  const { attestation } = config;
  if (attestation === undefined) return undefined;
  const { listen, ...rates } = attestation;
  const client = new EnclaveClient(requestsSocketPath(config), clock, STRANGERS);
  return new AttestationListener({ listen, rates, client, clock, logger });
}

export class AttestationListener implements Service {
  readonly #deps: ListenerDeps;
  readonly #server: Server;
  readonly #rates: RequestRates;
  readonly #connections = new OldestFirst<Socket>();
  readonly #counts = new Map<number, number>(STATUSES.map((status) => [status, 0]));
  #isAnswering = true;

  constructor(deps: ListenerDeps) {
    this.#deps = deps;
    this.#rates = new RequestRates(deps.rates, deps.clock);
    const options = {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    };
    this.#server = createServer(options, (request, response) => this.#serve(request, response));
    this.#server.on('connection', (socket) => takePlace(this.#connections, socket, MAX_CONNECTIONS));
    this.#server.maxHeadersCount = MAX_HEADERS;
  }

  /** @throws HostProxyError HOST_ATTESTATION_BIND */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { listen, logger } = this.#deps;
    await listenOn(this.#server, listen, 'HOST_ATTESTATION_BIND');
    logger.log('info', 'attestation.listening', { address: formatEndpoint(this.address) });
  }

  stop(): Promise<void> {
    return closeServer(this.#server);
  }

  /** The bound address; the port is the real one when 0 was asked for. */
  get address(): TcpEndpoint {
    return boundAddress(this.#server);
  }

  /** Null while it does not listen. */
  get status(): AttestationStatus | null {
    if (!this.#server.listening) return null;
    return { address: formatEndpoint(this.address), answers: Object.fromEntries(this.#counts) };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const answer = await this.#answer(request, gone.signal).catch((error: unknown) => this.#fail(error));
    this.#counts.set(answer.status, (this.#counts.get(answer.status) ?? 0) + 1);
    const body = `${JSON.stringify(answer.body)}\n`;
    const { headers, status } = answer;
    // Who was refused connects again, and is counted by its address again; an unread body goes with its connection.
    if (status !== 200) response.shouldKeepAlive = false;
    const fixed = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    response.writeHead(status, { ...fixed, 'content-length': Buffer.byteLength(body), ...headers }).end(body);
  }

  async #answer(request: IncomingMessage, signal: AbortSignal): Promise<HttpAnswer> {
    const { method = '', url: target = '', headers, socket } = request;
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
    if (!this.#rates.take(socket.remoteAddress ?? '')) {
      const { maxPerSecond, maxPerSecondPerAddress } = this.#deps.rates;
      const allowed = `${maxPerSecondPerAddress} a second from one address, ${maxPerSecond} in all`;
      throw new HostProxyError('HOST_ATTESTATION_RATE', 'more was asked than is answered', { allowed });
    }
    const answer = await this.#deps.client.ask(questionOf({ method, target, hasBody }), signal);
    this.#isAnswering = true;
    return toHttp(answer);
  }

  /** An enclave that does not answer is told once, until it answers again. */
  #fail(error: unknown): HttpAnswer {
    const answer = failureToHttp(error);
    if (answer.status === 503 && this.#isAnswering) {
      this.#isAnswering = false;
      this.#deps.logger.log('warn', 'attestation.unanswered', { code: errorCode(error), reason: describeError(error) });
    }
    return answer;
  }
}
