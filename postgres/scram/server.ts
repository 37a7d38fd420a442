/**
 * Lets a client log in by SCRAM-SHA-256 against a verifier, bound to our own certificate where that can be. What is left of it is the
 * user's ClientKey, with which the same user can be logged in elsewhere (client.ts).
 *
 *            start                  finish
 *   ┌─────┐ ──────▶ ┌────────────┐ ────────▶ ┌───────┐
 *   │ new │         │ challenged │           │ ended │
 *   └─────┘         └────────────┘           └───────┘
 *
 * A user whom nobody knows is challenged as one who is known: the salt is the same each time, and the login fails at its end, as with
 * a wrong password. Whatever fails ends the login; what is called out of turn is refused.
 * Specification: RFC 5802, RFC 7677, RFC 5929 section 4; PostgreSQL 18, src/backend/libpq/auth-scram.c.
 */
import { timingSafeEqual } from 'node:crypto';
import { decodeBase64, encodeBase64 } from '../../runtime/base64.ts';
import type { Random } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { AttributeReader } from './attributes.ts';
import { authMessage, BINDING_FLAG, bindingInput, NONCE_BYTES, SCRAM_SHA_256, SCRAM_SHA_256_PLUS } from './exchange.ts';
import { hmac, KEY_BYTES, storedKeyOf, xor } from './keys.ts';
import { malformed, outOfTurn, unsuitable, wrongPassword } from './refusal.ts';
import type { ScramVerifier } from './verifier.ts';
import { SALT_BYTES } from './verifier.ts';

interface Mock {
  /** The same for all users, and as long as nobody may find out who exists: 32 random bytes. */
  readonly secret: SecretBuffer;
  /** What the verifiers of known users have. */
  readonly iterations: number;
}

export interface ScramServerOptions {
  /** Of the start-up packet. The name in SCRAM's own messages is passed over, as PostgreSQL does. */
  readonly user: string;
  /** The caller disposes of it, after the login; undefined for a user who must not get in. */
  readonly verifier: ScramVerifier | undefined;
  readonly mock: Mock;
  readonly random: Random;
  /** tls-server-end-point of the certificate that was shown; undefined without TLS and where it is not defined. */
  readonly channelBinding: Buffer | undefined;
}

interface ClientFirst {
  /** `n`, `y` or BINDING_FLAG. */
  readonly flag: string;
  readonly nonce: string;
  readonly bare: Buffer;
}

interface ClientFinal {
  readonly binding: Buffer;
  readonly nonce: string;
  readonly proof: Buffer;
  readonly withoutProof: Buffer;
}

type Step =
  | { readonly kind: 'new' | 'ended' }
  | {
      readonly kind: 'challenged';
      readonly first: ClientFirst;
      readonly nonce: string;
      readonly serverFirst: Buffer;
    };

/** The flag must suit the mechanism, and not deny an offer to bind that was made: somebody would have hidden it. */
function checkFlag(flag: string, isBound: boolean, canBind: boolean): void {
  const isBinding = flag.startsWith('p=');
  if (!isBinding && flag !== 'n' && flag !== 'y') throw malformed('its flag for channel binding is not p, n or y');
  if (isBinding !== isBound) throw malformed('its flag for channel binding does not suit the mechanism');
  if (isBinding && flag !== BINDING_FLAG) throw malformed('its type of channel binding is not tls-server-end-point');
  if (flag === 'y' && canBind) {
    throw unsuitable(
      'the client says that channel binding was not offered, but it was: the offer was changed on its way',
    );
  }
}

/** `flag,authzid,n=…,r=…`, and extensions that are passed over, as PostgreSQL does. */
function readClientFirst(message: Buffer, isBound: boolean, canBind: boolean): ClientFirst {
  const header = new AttributeReader(message);
  const flag = header.field().toString('latin1');
  checkFlag(flag, isBound, canBind);
  const authorization = header.field();
  if (authorization.length > 0) throw unsuitable('an identity to act as is not supported');
  const bare = message.subarray(flag.length + 2);
  const reader = new AttributeReader(bare);
  reader.value('n');
  const nonce = reader.nonce();
  while (!reader.isAtEnd) reader.next();
  return { flag, nonce, bare: Buffer.from(bare) };
}

/** `c=…,r=…,p=…`, with extensions before the last that are passed over. */
function readClientFinal(message: Buffer): ClientFinal {
  const reader = new AttributeReader(message);
  const binding = reader.value('c');
  const nonce = reader.nonce();
  let attribute = reader.next();
  while (attribute.name !== 'p') attribute = reader.next();
  reader.end();
  const proof = decodeBase64(attribute.value);
  if (proof?.length !== KEY_BYTES) throw malformed('the proof is not Base64 of 32 bytes');
  return { binding, nonce, proof, withoutProof: message.subarray(0, attribute.offset - 1) };
}

/** The same for the same user each time. Its keys are never right: server.ts refuses whoever meets them. */
function mockVerifier(user: string, { secret, iterations }: Mock): ScramVerifier {
  const salt = secret.use((key) => hmac(key, user)).subarray(0, SALT_BYTES);
  const noKey = () => SecretBuffer.take(Buffer.alloc(KEY_BYTES));
  return { iterations, salt, storedKey: noKey(), serverKey: noKey() };
}

/** One login. Its errors are SessionErrors (08P01, 28000, 28P01) whose messages hold no secret. */
export class ScramServer {
  readonly #verifier: ScramVerifier;
  readonly #isMock: boolean;
  readonly #random: Random;
  readonly #channelBinding: Buffer | undefined;
  #step: Step = { kind: 'new' };

  constructor({ user, verifier, mock, random, channelBinding }: ScramServerOptions) {
    const stand = mockVerifier(user, mock);
    this.#isMock = verifier === undefined;
    this.#verifier = verifier ?? stand;
    this.#random = random;
    this.#channelBinding = channelBinding;
  }

  /** What AuthenticationSASL offers, the best one first. */
  get mechanisms(): readonly string[] {
    return this.#channelBinding ? [SCRAM_SHA_256_PLUS, SCRAM_SHA_256] : [SCRAM_SHA_256];
  }

  /** @returns the challenge */
  start(mechanism: string, clientFirst: Buffer): Buffer {
    this.#take('new');
    if (!this.mechanisms.includes(mechanism)) throw malformed('a mechanism was chosen that was not offered');
    const isBound = mechanism === SCRAM_SHA_256_PLUS;
    const first = readClientFirst(clientFirst, isBound, this.#channelBinding !== undefined);
    const nonce = first.nonce + this.#random.bytes(NONCE_BYTES).toString('base64');
    const { salt, iterations } = this.#verifier;
    const serverFirst = Buffer.from(`r=${nonce},s=${salt.toString('base64')},i=${iterations}`);
    this.#step = { kind: 'challenged', first, nonce, serverFirst };
    return serverFirst;
  }

  /** @returns the proof that we know the verifier, and the ClientKey, which the caller disposes of */
  finish(clientFinal: Buffer): { serverFinal: Buffer; clientKey: SecretBuffer } {
    const { first, nonce, serverFirst } = this.#take('challenged');
    const final = readClientFinal(clientFinal);
    this.#checkBinding(final.binding, first.flag);
    if (final.nonce !== nonce) throw malformed('its nonce is not the one of the challenge');
    const signed = authMessage(first.bare, serverFirst, final.withoutProof);
    const clientKey = this.#clientKeyOf(final.proof, signed);
    const signature = this.#verifier.serverKey.use((key) => hmac(key, signed));
    return { serverFinal: Buffer.from(`v=${signature.toString('base64')}`), clientKey };
  }

  #checkBinding(binding: Buffer, flag: string): void {
    if (binding.equals(encodeBase64(bindingInput(flag, this.#channelBinding)))) return;
    if (flag !== BINDING_FLAG) throw malformed('its channel binding is not the one that it began with');
    throw unsuitable('the login is bound to another connection than this one');
  }

  /** Of a mock all is computed too, so that it takes as long. */
  #clientKeyOf(proof: Buffer, signed: Buffer): SecretBuffer {
    const { storedKey } = this.#verifier;
    const clientKey = xor(
      proof,
      storedKey.use((key) => hmac(key, signed)),
    );
    const isRight = storedKey.use((key) => timingSafeEqual(storedKeyOf(clientKey), key));
    const taken = SecretBuffer.take(clientKey);
    if (isRight && !this.#isMock) return taken;
    taken.dispose();
    throw wrongPassword();
  }

  /** Leaves a step for good: unless the next one is entered, the login has failed. */
  #take<Kind extends Step['kind']>(kind: Kind): Extract<Step, { readonly kind: Kind }> {
    const step = this.#step;
    this.#step = { kind: 'ended' };
    if (step.kind !== kind) throw outOfTurn();
    return step as Extract<Step, { readonly kind: Kind }>;
  }
}
