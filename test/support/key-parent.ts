/**
 * What operators and the parent do with the keys of an enclave, over host-proxy's own end of the requests route: requests that are signed,
 * sets that are kept and brought. The same for a simulated stack and for a machine.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { clientIdFromCertificate } from '../../acra/client-id.ts';
import { parseAttestationDocument } from '../../attestation/document/parse.ts';
import { encodeEnvelope, withSignatureOf } from '../../attestation/published/envelope.ts';
import { readSigningKey } from '../../attestation/published/keys.ts';
import { commitmentTo } from '../../attestation/runtime/statement.ts';
import { type DemoCertificates, ENCLAVE_NAME } from '../../cli/demo/certificates.ts';
import type { Reachable } from '../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import type { DemoOperator } from '../../cli/demo/operators.ts';
import type { IssuedCertificate } from '../../emulator/pki/authority.ts';
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import { type KeyAction, type KeyRequest, toKeyRequestEnvelope } from '../../keys/requests/key-request.ts';
import { sealSecretFor } from '../../keys/requests/sealed-secret.ts';
import { decodeKeySet, type KeySet } from '../../keys/set/key-set.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KEY_SET_AWAITED } from '../../wire/control/messages.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { askAsParent } from '../../wire/requests/ask.ts';
import type { ParentAnswer, ParentRequest } from '../../wire/requests/parent-messages.ts';
import { shownCertificate } from '../integration/support/shown-certificate.ts';
import { changeInDatabase } from '../integration/support/verifier-login.ts';

/** As the parent keeps it: both in base64. */
export interface KeptSet {
  readonly keySet: string;
  readonly transcript: string;
}

/** What an operator learns of the boot that a request is for. */
type Boot = Pick<KeyRequest, 'commitment' | 'enclaveKey'>;

export interface KeyPlace {
  /** Of host-proxy. */
  readonly runtimeFolder: string;
  readonly certificates: DemoCertificates;
  readonly operators: readonly DemoOperator[];
  readonly until: (wanted: (status: HostStatus) => boolean, signal: AbortSignal) => Promise<HostStatus>;
  /** Of each single step. */
  readonly step: () => AbortSignal;
}

function demanded<Type extends ParentAnswer['type']>(answer: ParentAnswer, type: Type) {
  if (answer.type === type) return answer as Extract<ParentAnswer, { type: Type }>;
  throw new Error(`the enclave answered ${JSON.stringify(answer).slice(0, 500)}`);
}

export class KeyParent {
  readonly #place: KeyPlace;

  constructor(place: KeyPlace) {
    this.#place = place;
  }

  async ask(request: ParentRequest, signal = this.#place.step()): Promise<ParentAnswer> {
    const socket = createConnection({ path: join(this.#place.runtimeFolder, 'requests.sock') });
    await once(socket, 'connect', { signal });
    return askAsParent(socket, request, signal);
  }

  untilAwaited(): Promise<HostStatus> {
    const { until, step } = this.#place;
    return until(({ enclave }) => enclave?.phase === 'key-set' && enclave.errorCode === KEY_SET_AWAITED, step());
  }

  /** @param told what the enclave says about the shares of its operators */
  untilSharesAwaited(told: RegExp): Promise<HostStatus> {
    const { until, step } = this.#place;
    return until(
      ({ enclave }) => enclave?.errorCode === 'KEY_SHARES_AWAITED' && told.test(enclave.detail ?? ''),
      step(),
    );
  }

  async status() {
    return demanded(await this.ask({ type: 'keys-status' }), 'keys-status');
  }

  /** Whatever this boot states, for a nonce of the asker. */
  async attested(nonce = randomBytes(32)) {
    return demanded(await this.ask({ type: 'attest', nonce: nonce.toString('base64') }), 'attestation');
  }

  async boot(): Promise<Boot> {
    const { document, statement } = await this.attested();
    const { publicKey } = parseAttestationDocument(Buffer.from(document, 'base64')).payload;
    return {
      commitment: commitmentTo(Buffer.from(statement, 'base64')).toString('hex'),
      enclaveKey: (publicKey ?? Buffer.alloc(0)).toString('base64'),
    };
  }

  /** Signed by as many of the operators, in their order. */
  signed(request: KeyRequest, signers = 1): string {
    const keys = this.#place.operators
      .slice(0, signers)
      .map(({ name, privateKeyFile }) => readSigningKey(name, readFileSync(privateKeyFile)));
    const envelope = keys.reduce(withSignatureOf, toKeyRequestEnvelope(request));
    return Buffer.from(encodeEnvelope(envelope)).toString('base64');
  }

  /** For this boot, and the set that the enclave has. */
  async request(action: KeyAction, changed: Partial<KeyRequest> = {}): Promise<KeyRequest> {
    const { taken } = await this.status();
    const nonce = randomBytes(32).toString('hex');
    const content = { version: 1, enclave: 'demo', nonce, from: taken?.sha256 ?? null, action } as const;
    return { ...content, ...(await this.boot()), ...changed };
  }

  async sealed(user: string, text: string, request: Omit<KeyRequest, 'action'>) {
    const key = Buffer.from(request.enclaveKey, 'base64');
    return sealSecretFor(key, request, user, SecretBuffer.take(Buffer.from(text)));
  }

  change(request: string): Promise<ParentAnswer> {
    return this.ask({ type: 'change-keys', request });
  }

  /** Nothing is taken yet. */
  async make(action: KeyAction, changed: Partial<KeyRequest> = {}): Promise<KeptSet> {
    const request = this.signed(await this.request(action, changed));
    const { keySet, transcript } = demanded(await this.change(request), 'keys-made');
    return { keySet, transcript };
  }

  bring({ keySet, transcript }: KeptSet): Promise<ParentAnswer> {
    return this.ask({ type: 'bring-keys', keySet, transcript });
  }

  async take(kept: KeptSet) {
    return demanded(await this.bring(kept), 'keys-taken');
  }

  /** The clients, in their order. */
  get clientIds(): readonly string[] {
    const { client, otherClients } = this.#place.certificates;
    return [client, ...otherClients].map(({ certificatePem }) =>
      clientIdFromCertificate(certificatePem, 'distinguished_name'),
    );
  }

  ceremony(clients = this.clientIds, changed: Partial<KeyRequest> = {}): Promise<KeptSet> {
    return this.make({ kind: 'ceremony', clients: [...clients], secrets: [] }, changed);
  }
}

export function setOf({ keySet }: Pick<KeptSet, 'keySet'>): KeySet {
  return decodeKeySet(Buffer.from(keySet, 'base64'));
}

/** Of the password that an enclave has made for the application. */
export function verifierIn(kept: KeptSet, slot: 'secret' | 'nextSecret' = 'secret'): string {
  const secret = setOf(kept).secrets.find((each) => each.user === APPLICATION.user && each.slot === slot);
  return secret?.verifier ?? '';
}

/** What whoever administers the database does for the first set. */
export function tellDatabase(stack: Reachable, kept: KeptSet): Promise<void> {
  return changeInDatabase(stack, verifierIn(kept));
}

/** By its certificate alone. @param as default: the application */
export async function connect(stack: Reachable, address: TcpEndpoint, as?: IssuedCertificate): Promise<pg.Client> {
  const { certificatePem: cert, privateKeyPem: key } = as ?? stack.parts.certificates.client;
  const ca = (await shownCertificate(address)).toString();
  const ssl = { ca, cert, key, servername: ENCLAVE_NAME };
  const client = new pg.Client({ ...address, database: DATABASE, user: APPLICATION.user, ssl });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
