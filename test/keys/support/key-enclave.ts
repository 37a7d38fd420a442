/**
 * An enclave as far as the parent and operators see its keys: attests, makes key sets on signed requests, takes them. Documents, sets and
 * transcripts are real, of a chain of the test's own; what is sealed in a set is random, and opens for nobody.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { clientKeyFiles } from '../../../acra/keystore/layout.ts';
import type { VerifyingKey } from '../../../attestation/published/keys.ts';
import { commitmentTo, encodeStatement, type RuntimeStatement } from '../../../attestation/runtime/statement.ts';
import { encodeUserData } from '../../../attestation/runtime/user-data.ts';
import { KeyError } from '../../../keys/errors.ts';
import {
  type KeyAction,
  type KeyRequest,
  readKeyRequest,
  requireApprovals,
  type SignedKeyRequest,
} from '../../../keys/requests/key-request.ts';
import { openSealedSecret } from '../../../keys/requests/sealed-secret.ts';
import { decodeKeySet, encodeKeySet, type KeySet, keySetDigest } from '../../../keys/set/key-set.ts';
import { encodeTranscriptData, parseTranscript, readTranscript } from '../../../keys/set/transcript.ts';
import { CodedError } from '../../../runtime/errors.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { refusalOf } from '../../../wire/requests/messages.ts';
import type { ParentAnswer, ParentRequest } from '../../../wire/requests/parent-messages.ts';
import { pemOf } from '../../attestation/support/certificate.ts';
import { type Chain, makeChain } from '../../attestation/support/chain.ts';
import { honestPayload, signed, statement, TLS_KEY_SHA256 } from '../../attestation/verify/support/evidence.ts';

const HOUR_MS = 3_600_000;
const VERIFIER = 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy';

export interface KeyEnclaveOptions {
  readonly operators: readonly VerifyingKey[];
  readonly approvals?: number;
  /** A present chain is valid around it; default: now. */
  readonly nowMs?: number;
  readonly ceremony?: boolean;
  /** Of another enclave on the same machine. */
  readonly chain?: Chain;
  /** The only set that is taken at boot. */
  readonly pin?: string;
  /** How it runs; default: as in all evidence of the tests. */
  readonly stated?: RuntimeStatement;
}

export interface MadeKeys {
  readonly keySet: Buffer;
  readonly transcript: Buffer;
}

function presentChain(nowMs: number): Chain {
  const validity = { notBeforeMs: nowMs - HOUR_MS, notAfterMs: nowMs + HOUR_MS };
  return makeChain({ root: validity, region: validity, zone: validity, instance: validity, leaf: validity });
}

export class KeyEnclave {
  readonly chain: Chain;
  readonly rootPem: string;
  readonly commitment: Buffer;
  readonly #stated: RuntimeStatement;
  readonly asked: ParentRequest['type'][] = [];
  /** Of secrets in requests, by user, as they were opened. */
  readonly opened = new Map<string, string>();
  /** A refusal in the place of the next answers of this type. */
  readonly refusing = new Map<ParentRequest['type'], string>();
  /** As if the parent kept back what was made, and showed what was made before. */
  answersWithLast = false;
  /** As if the parent kept the request back, and said that it was done. */
  saysChanged = false;
  /** Of the TLS key in its documents; another after `rotate-tls`. */
  #tlsKeySha256: Buffer = TLS_KEY_SHA256;
  #lastMade: ParentAnswer | undefined;
  readonly #options: KeyEnclaveOptions;
  readonly #nowMs: number;
  #key = generateKeyPairSync('x25519');
  #taken: Buffer | undefined;

  constructor(options: KeyEnclaveOptions) {
    this.#options = options;
    this.#stated = options.stated ?? statement;
    this.commitment = commitmentTo(encodeStatement(this.#stated));
    this.#nowMs = options.nowMs ?? Date.now();
    this.chain = options.chain ?? presentChain(this.#nowMs);
    this.rootPem = pemOf(this.chain.root);
  }

  get pcr0(): string {
    return (honestPayload(this.chain).pcrs.get(toPcrIndex(0)) ?? Buffer.alloc(0)).toString('hex');
  }

  get publicKey(): Buffer {
    return Buffer.from(this.#key.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  }

  get taken(): KeySet | undefined {
    return this.#taken && decodeKeySet(this.#taken);
  }

  get takenSha256(): string | undefined {
    return this.#taken && keySetDigest(this.#taken);
  }

  /** Another boot: it has no keys, and another key of its own. */
  restart(): void {
    this.#key = generateKeyPairSync('x25519');
    this.#taken = undefined;
  }

  /** As RequestServer calls it. */
  readonly answer = async (request: ParentRequest): Promise<ParentAnswer> => {
    this.asked.push(request.type);
    try {
      const code = this.refusing.get(request.type);
      if (code !== undefined) throw new CodedError(code, 'as the \u001b[2Ktest demands');
      return await this.#answer(request);
    } catch (error) {
      if (error instanceof CodedError) return refusalOf(error);
      throw error;
    }
  };

  async #answer(request: ParentRequest): Promise<ParentAnswer> {
    switch (request.type) {
      case 'attest':
        return this.#attest(Buffer.from(request.nonce, 'base64'));
      case 'keys-status':
        return { type: 'keys-status', ceremony: this.#options.ceremony ?? true, ...this.#takenMember() };
      case 'change-keys':
        return await this.#change(Buffer.from(request.request, 'base64'));
      case 'bring-keys':
        return this.#bring(Buffer.from(request.keySet, 'base64'), Buffer.from(request.transcript, 'base64'));
      default:
        throw new CodedError('REQUEST_MALFORMED', request.type);
    }
  }

  #takenMember() {
    if (this.#taken === undefined) return {};
    return { taken: { generation: decodeKeySet(this.#taken).generation, sha256: keySetDigest(this.#taken) } };
  }

  #attest(nonce: Buffer): ParentAnswer {
    const userData = encodeUserData({ tlsKeySha256: this.#tlsKeySha256, commitment: this.commitment });
    const document = this.#document({ nonce, userData });
    const encoding = encodeStatement(this.#stated);
    return { type: 'attestation', document: document.toString('base64'), statement: encoding.toString('base64') };
  }

  #document(members: { readonly nonce: Buffer; readonly userData?: Buffer }): Buffer {
    const payload = {
      ...honestPayload(this.chain, this.#stated),
      publicKey: this.publicKey,
      timestampMs: this.#nowMs,
      ...members,
    };
    return signed(payload, this.chain.leaf.privateKey);
  }

  async #change(envelope: Buffer): Promise<ParentAnswer> {
    const { operators, approvals = 1 } = this.#options;
    const request = readKeyRequest(envelope);
    if (this.saysChanged) return { type: 'keys-changed', what: 'as you\u009b2K wish' };
    requireApprovals(request, operators, approvals);
    this.#requireFresh(request.content);
    await this.#openSecrets(request.content);
    if (request.content.action.kind === 'rotate-tls') {
      this.#tlsKeySha256 = randomBytes(32);
      return { type: 'keys-changed', what: 'the TLS key' };
    }
    if (this.answersWithLast && this.#lastMade !== undefined) return this.#lastMade;
    const { keySet, transcript } = this.make(request, envelope);
    const members = { keySet: keySet.toString('base64'), transcript: transcript.toString('base64') };
    this.#lastMade = { type: 'keys-made', ...members };
    return this.#lastMade;
  }

  #requireFresh({ commitment, enclaveKey, from }: KeyRequest): void {
    const isFresh =
      commitment === this.commitment.toString('hex') &&
      enclaveKey === this.publicKey.toString('base64') &&
      from === (this.takenSha256 ?? null);
    if (!isFresh) throw new KeyError('KEY_REQUEST_STALE', 'not for this boot');
  }

  async #openSecrets(content: KeyRequest): Promise<void> {
    const secrets = 'secrets' in content.action ? content.action.secrets : [];
    for (const secret of secrets) {
      using opened = await openSealedSecret(this.#key.privateKey as KeyObject, content, secret);
      this.opened.set(
        secret.user,
        opened.use((bytes) => bytes.toString('utf8')),
      );
    }
  }

  /** The set that follows on the one in use, as the action says. */
  make({ content, payload }: SignedKeyRequest, envelope: Buffer): MadeKeys {
    const before = this.#taken && decodeKeySet(this.#taken);
    const generation = (before?.generation ?? 0) + 1;
    const set: KeySet = {
      version: 1,
      name: statement.name,
      generation,
      previous: this.takenSha256 ?? null,
      keeper: {
        kind: 'kms',
        keyArn: statement.kms!.keyArn,
        encryptionContext: { ...statement.kms!.encryptionContext, 'acra-enclave-generation': String(generation) },
        dataKey: randomBytes(200).toString('base64'),
      },
      masterKey: randomBytes(60).toString('base64'),
      keystore: keystoreAfter(before, content.action),
      secrets: secretsAfter(before, content.action),
      keyIds: keyIdsAfter(before, content.action),
    };
    const keySet = encodeKeySet(set);
    const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
    const userData = encodeTranscriptData({
      commitment: this.commitment,
      keySetSha256: Buffer.from(keySetDigest(keySet), 'hex'),
      requestSha256: sha(payload),
    });
    const document = this.#document({ nonce: Buffer.from(content.nonce, 'hex'), userData });
    const transcript = { version: 1, document: document.toString('base64'), request: envelope.toString('base64') };
    return { keySet, transcript: Buffer.from(JSON.stringify(transcript)) };
  }

  #bring(keySet: Buffer, transcript: Buffer): ParentAnswer {
    const set = decodeKeySet(keySet);
    const sha256 = keySetDigest(keySet);
    readTranscript(parseTranscript(transcript), keySet, { rootDer: this.chain.root.der, images: [this.pcr0] });
    const isPinned = this.#options.pin === undefined || this.#options.pin === sha256;
    const isNewer = set.generation > (this.taken?.generation ?? 0);
    if (!isPinned || !isNewer) throw new KeyError('KEY_SET_ROLLED_BACK', 'older, or another');
    this.#taken = keySet;
    return { type: 'keys-taken', generation: set.generation, sha256 };
  }
}

function keystoreAfter(before: KeySet | undefined, action: KeyAction): KeySet['keystore'] {
  const clients = 'clients' in action ? action.clients : [];
  const fresh = clients.flatMap((client) => clientKeyFiles(client).map(({ path }) => path));
  const kept = (before?.keystore ?? []).filter(({ path }) => !fresh.includes(path));
  const made = fresh.map((path) => ({ path, content: randomBytes(48).toString('base64') }));
  return [...kept, ...made].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function keyIdsAfter(before: KeySet | undefined, action: KeyAction): KeySet['keyIds'] {
  const clients = 'clients' in action ? action.clients : [];
  const known = before?.keyIds ?? [];
  const changed = clients.map((clientId) => {
    const had = known.find((each) => each.clientId === clientId);
    if (action.kind === 'forget-data' && had !== undefined) return { ...had, old: [] };
    const old = had === undefined ? [] : [...had.old, had.current].toSorted();
    return { clientId, current: newKeyId(known.map(({ current }) => current)), old };
  });
  const others = known.filter(({ clientId }) => !clients.includes(clientId));
  return [...others, ...changed].toSorted((a, b) => (a.clientId < b.clientId ? -1 : 1));
}

function newKeyId(taken: readonly string[]): string {
  const id = randomBytes(2).toString('hex');
  return taken.includes(id) ? newKeyId(taken) : id;
}

function secretsAfter(before: KeySet | undefined, action: KeyAction): KeySet['secrets'] {
  const sealed = randomBytes(80).toString('base64');
  if (action.kind === 'rotate-database') {
    const next = { user: action.user, slot: 'nextSecret' as const, sealed, verifier: VERIFIER };
    return [...(before?.secrets ?? []), next].toSorted((a, b) =>
      `${a.user}\0${a.slot}` < `${b.user}\0${b.slot}` ? -1 : 1,
    );
  }
  if (action.kind !== 'ceremony') return before?.secrets ?? [];
  return [{ user: 'app', slot: 'secret', sealed, verifier: action.secrets.length > 0 ? null : VERIFIER }];
}

/** An operator, as enclave.yaml and the commands know one. */
export interface Operator {
  readonly name: string;
  readonly privatePem: string;
  readonly publicPem: string;
}

export function makeOperator(name: string): Operator {
  const { privateKey } = generateKeyPairSync('ed25519');
  return {
    name,
    privatePem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicPem: createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString(),
  };
}
