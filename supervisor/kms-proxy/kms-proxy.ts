/**
 * KMS for programs of the enclave: an HTTP server on the loopback interface that SDKs take for KMS (AWS_ENDPOINT_URL_KMS). What
 * enclave.yaml allows goes on, signed anew with the enclave's credentials and, where the answer is a secret, with its attestation
 * document; so programs need to know nothing of enclaves, and hold nothing that opens a key outside one.
 *
 *   program ── HTTP ──▶ door ─▶ head ─▶ members ─▶ rules ─▶ attested ─▶ kms/signed-kms ── TLS ──▶ KMS
 */
import type { NsmProvider } from '../../attestation/nsm/provider.ts';
import type { KmsProxySection } from '../../config/app/kms-proxy.ts';
import type { KmsRoute } from '../../config/key-keeper.ts';
import { regionalEndpoint } from '../../kms/endpoint.ts';
import { KmsError } from '../../kms/errors.ts';
import { RecipientKeys } from '../../kms/recipient-keys.ts';
import { SignedKms } from '../../kms/signed-kms.ts';
import { untilAborted } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { Service } from '../../runtime/service.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import type { MetricSample } from '../../wire/metrics.ts';
import type { CredentialKeeper } from '../credentials/keeper.ts';
import type { Answer } from './answers.ts';
import { errorAnswer } from './answers.ts';
import { Counts } from './counts.ts';
import { Door } from './door.ts';
import { environmentFor } from './environment.ts';
import { KmsProxyError } from './errors.ts';
import { Forwarder } from './forwarder.ts';
import type { RawHead } from './head.ts';
import { readHead } from './head.ts';
import { readMembers } from './members.ts';
import { Rules } from './rules.ts';

export interface KmsProxyDeps {
  readonly section: KmsProxySection;
  /** A file of the measured folder. */
  readonly readMeasured: (file: string) => Buffer;
  /** Where the relay route to KMS begins. */
  readonly socketPathOf: (route: KmsRoute) => string;
  readonly nsm: NsmProvider;
  readonly credentials: Pick<CredentialKeeper, 'credentials' | 'discard'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class KmsProxy implements Service {
  readonly #deps: KmsProxyDeps;
  readonly #rules: Rules;
  readonly #counts = new Counts();
  readonly #kms: ReadonlyMap<string, SignedKms>;
  readonly #keys: RecipientKeys;
  readonly #forwarder: Forwarder;
  readonly #door: Door;

  /** @throws KmsError KMS_ENDPOINT_INVALID, KMS_CA_INVALID */
  constructor(deps: KmsProxyDeps) {
    const { section, clock, random } = deps;
    this.#deps = deps;
    this.#rules = new Rules(section);
    this.#keys = new RecipientKeys(clock);
    this.#kms = new Map(section.regions.map((region) => [region.region, connect(region, deps)]));
    this.#forwarder = new Forwarder({ ...deps, keys: this.#keys, kmsOf: (region) => this.#kms.get(region) });
    this.#door = new Door({
      listen: section.listen,
      maxBodyBytes: section.maxBodyBytes,
      maxConnections: section.maxConnections,
      arrivalMs: section.requestTimeoutMs,
      answerMs: section.requestTimeoutMs,
      newRequestId: () => uuid(random.bytes(16)),
      handle: (head, body, signal) => this.#handle(head, body, signal),
      refused: (error) => this.#tellRefused(error, undefined),
    });
  }

  /** @throws KmsProxyError KMS_PROXY_LISTEN */
  start(signal: AbortSignal): Promise<void> {
    return this.#door.start(signal);
  }

  async stop(): Promise<void> {
    await this.#door.stop();
    for (const kms of this.#kms.values()) kms.close();
    this.#keys.forget();
  }

  /** After the start; the port is the bound one. */
  get address(): TcpEndpoint {
    return this.#door.address;
  }

  /** What has SDKs in programs come here. */
  get environment(): Readonly<Record<string, string>> {
    return environmentFor(this.address, this.#deps.section);
  }

  get samples(): readonly MetricSample[] {
    return this.#counts.samples;
  }

  async #handle(raw: RawHead, body: Buffer, signal: AbortSignal): Promise<Answer> {
    let action: string | undefined;
    try {
      const head = readHead(raw, [...this.#kms.keys()]);
      const members = readMembers(head.action, body);
      action = head.action;
      const judged = this.#rules.judge(action, head.region, members);
      const answer = await this.#withDeadline(signal, (until) => this.#forwarder.forward(head, judged, until));
      this.#counts.count(action, answer.status === 200 ? 'answered' : 'refused-by-kms');
      return answer;
    } catch (error) {
      this.#tell(error, action, signal);
      return errorAnswer(error);
    }
  }

  async #withDeadline(signal: AbortSignal, run: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const { clock, section } = this.#deps;
    const late = () =>
      new KmsError('KMS_UNAVAILABLE', 'no answer in time', { allowed: `${section.requestTimeoutMs} ms` });
    using deadline = new Deadline(clock, section.requestTimeoutMs, signal, late);
    const answering = run(deadline.signal);
    try {
      return await untilAborted(answering, deadline.signal);
    } catch (error) {
      // An answer that comes after all is for nobody.
      answering.then(({ body }) => body.fill(0)).catch(() => undefined);
      throw error;
    }
  }

  /** Codes and names only: neither what a program sent nor what it would have got. */
  #tell(error: unknown, action: string | undefined, signal: AbortSignal): void {
    if (error instanceof KmsProxyError && error.code !== 'KMS_PROXY_CREDENTIALS_REFUSED') {
      this.#tellRefused(error, action);
      return;
    }
    this.#counts.count(action, 'failed');
    if (signal.aborted) return;
    const fields = { action, code: errorCode(error) ?? 'none', reason: describeError(error) };
    this.#deps.logger.log('warn', 'kms-proxy.failed', fields);
  }

  #tellRefused({ code, message }: KmsProxyError, action: string | undefined): void {
    this.#counts.count(action, 'refused');
    this.#deps.logger.log('warn', 'kms-proxy.refused', { action, code, reason: message });
  }
}

function connect({ region, route, endpoint, ca }: KmsProxySection['regions'][number], deps: KmsProxyDeps): SignedKms {
  const connection = {
    region,
    endpoint: endpoint === undefined ? regionalEndpoint(region) : new URL(endpoint),
    dial: { path: deps.socketPathOf(route) },
    ...(ca !== undefined && { caPem: deps.readMeasured(ca).toString('utf8') }),
  };
  return new SignedKms(connection, deps.clock);
}

/** RFC 9562, version 4. */
function uuid(bytes: Buffer): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
