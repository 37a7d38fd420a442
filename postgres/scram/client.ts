/**
 * Logs in to a database by SCRAM-SHA-256, bound to the TLS connection where that can be: with a password, or with the ClientKey that a
 * login of the same user left here (`fromKeys`), as PgBouncer does it. Stricter than libpq: too few or too many iterations, other
 * extensions and anything behind the last attribute are refused, because who answers may not be the database.
 *
 *            start                  continue                     finish
 *   ┌─────┐ ──────▶ ┌─────────┐ ───────────────▶ ┌────────────┐ ────────▶ ┌────────┐
 *   │ new │         │ started │   (keys are      │ proof sent │           │ proven │
 *   └─────┘         └─────────┘    derived)      └────────────┘           └────────┘
 *
 * Whatever fails, and dispose, ends it from each of these states; what is called out of turn is refused.
 * Specification: RFC 5802, RFC 7677, RFC 5929 section 4; PostgreSQL 18, src/interfaces/libpq/fe-auth-scram.c.
 */
import { timingSafeEqual } from 'node:crypto';
import { decodeBase64, encodeBase64 } from '../../runtime/base64.ts';
import type { Random } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { SessionError } from '../session-error.ts';
import { AttributeReader } from './attributes.ts';
import { authMessage, BINDING_FLAG, bindingInput, NONCE_BYTES, SCRAM_SHA_256, SCRAM_SHA_256_PLUS } from './exchange.ts';
import type { ScramKeys } from './keys.ts';
import { deriveKeys, hmac, KEY_BYTES, MAX_ITERATIONS, MAX_SALT_BYTES, MIN_ITERATIONS, wipeKeys, xor } from './keys.ts';
import { malformed, outOfTurn, unsuitable, wrongPassword } from './refusal.ts';
import type { ScramVerifier } from './verifier.ts';

interface Surroundings {
  readonly random: Random;
  /** tls-server-end-point of the server's certificate; undefined without TLS and where it is not defined. */
  readonly channelBinding: Buffer | undefined;
}

export interface ScramClientOptions extends Surroundings {
  /** UTF-8, as it is typed. The caller disposes of it, after `continue` has answered. */
  readonly password: SecretBuffer;
}

/** The caller disposes of all keys, after `continue` has answered. */
export interface ScramKeyOptions extends Surroundings, ScramVerifier {
  readonly clientKey: SecretBuffer;
}

/** The database's verifier has another salt or another count than ours: the password was changed there. */
export class StaleVerifierError extends SessionError {
  constructor() {
    super('28P01', 'password authentication failed: the database keeps another verifier for this user');
  }
}

/** What a database has of a user beside its keys. */
export interface ScramChallenge {
  readonly salt: Buffer;
  readonly iterations: number;
}

interface Challenge extends ScramChallenge {
  readonly nonce: string;
}

type KeySource = (challenge: Challenge) => Promise<ScramKeys>;

function copyOf(secret: SecretBuffer): Buffer {
  return secret.use((bytes) => Buffer.concat([bytes]));
}

function keysOfPassword({ password }: ScramClientOptions): KeySource {
  return ({ salt, iterations }) => deriveKeys(password, salt, iterations);
}

function keysAtHand({ clientKey, storedKey, serverKey, ...stored }: ScramKeyOptions): KeySource {
  return async ({ salt, iterations }) => {
    if (!salt.equals(stored.salt) || iterations !== stored.iterations) throw new StaleVerifierError();
    return { clientKey: copyOf(clientKey), storedKey: copyOf(storedKey), serverKey: copyOf(serverKey) };
  };
}

/** `r=…,s=…,i=…`. Nothing is computed for a count or a salt that is out of bounds. */
function readServerFirst(message: Buffer, ownNonce: string): Challenge {
  const reader = new AttributeReader(message);
  const nonce = reader.nonce();
  if (!nonce.startsWith(ownNonce) || nonce.length === ownNonce.length) {
    throw unsuitable('the nonce of the server does not extend the one of the client');
  }
  const salt = decodeBase64(reader.value('s'));
  if (!salt) throw malformed('the salt is not Base64');
  if (salt.length === 0 || salt.length > MAX_SALT_BYTES) {
    throw unsuitable(`the salt has ${salt.length} bytes, 1 to ${MAX_SALT_BYTES} are allowed`);
  }
  const digits = reader.value('i').toString('latin1');
  if (!/^[1-9]\d{0,9}$/.test(digits)) throw malformed('the iteration count is not a number');
  reader.end();
  const iterations = Number(digits);
  if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
    throw unsuitable(
      `the database asks for ${iterations} iterations, ${MIN_ITERATIONS} to ${MAX_ITERATIONS} are allowed`,
    );
  }
  return { nonce, salt, iterations };
}

/** `v=…`, or `e=…` for a login that failed. */
function readServerFinal(message: Buffer): Buffer {
  const reader = new AttributeReader(message);
  const { name, value } = reader.next();
  if (name === 'e') throw wrongPassword();
  const signature = name === 'v' ? decodeBase64(value) : undefined;
  if (signature?.length !== KEY_BYTES) throw malformed('the signature of the server is missing');
  reader.end();
  return signature;
}

type Step =
  | { readonly kind: 'new' | 'deriving' | 'proven' | 'ended' }
  | { readonly kind: 'started'; readonly flag: string; readonly nonce: string }
  | { readonly kind: 'proof sent'; readonly serverSignature: SecretBuffer };
type StepOf<Kind extends Step['kind']> = Extract<Step, { readonly kind: Kind }>;

/** One login. Its errors are SessionErrors (08P01, 28000, 28P01) whose messages hold no secret. */
export class ScramClient {
  readonly #keysFor: KeySource;
  readonly #random: Random;
  readonly #channelBinding: Buffer | undefined;
  #step: Step = { kind: 'new' };

  constructor(options: ScramClientOptions | ScramKeyOptions) {
    this.#keysFor = 'password' in options ? keysOfPassword(options) : keysAtHand(options);
    this.#random = options.random;
    this.#channelBinding = options.channelBinding;
  }

  /** Salt and iterations of the database must be those of the verifier: else StaleVerifierError, from `continue`. */
  static fromKeys(options: ScramKeyOptions): ScramClient {
    return new ScramClient(options);
  }

  /** To learn the challenge and no more: there is nothing to prove anything with. */
  static asking(surroundings: Surroundings): ScramClient {
    return new ScramClient({ ...surroundings, password: SecretBuffer.take(Buffer.alloc(0)) });
  }

  /** Whether the server has proven that it knows the password; an AuthenticationOk before this is none. */
  get isProven(): boolean {
    return this.#step.kind === 'proven';
  }

  /** @param mechanisms what AuthenticationSASL offers */
  start(mechanisms: readonly string[]): { mechanism: string; initialResponse: Buffer } {
    this.#take('new');
    const isBound = this.#channelBinding !== undefined && mechanisms.includes(SCRAM_SHA_256_PLUS);
    if (!isBound && !mechanisms.includes(SCRAM_SHA_256)) {
      throw unsuitable(
        'the database offers neither SCRAM-SHA-256 nor a SCRAM-SHA-256-PLUS that this connection can be bound to',
      );
    }
    const nonce = this.#random.bytes(NONCE_BYTES).toString('base64');
    const unboundFlag = this.#channelBinding === undefined ? 'n' : 'y';
    const flag = isBound ? BINDING_FLAG : unboundFlag;
    this.#step = { kind: 'started', flag, nonce };
    const mechanism = isBound ? SCRAM_SHA_256_PLUS : SCRAM_SHA_256;
    return { mechanism, initialResponse: Buffer.from(`${flag},,${this.#firstBare(nonce)}`) };
  }

  /** @returns the client's last message, which together with StoredKey gives ClientKey away */
  async continue(serverFirst: Buffer): Promise<Buffer> {
    const { flag, nonce } = this.#take('started');
    const challenge = readServerFirst(serverFirst, nonce);
    const binding = encodeBase64(bindingInput(flag, this.#channelBinding));
    const withoutProof = Buffer.from(`c=${binding},r=${challenge.nonce}`);
    const signed = authMessage(Buffer.from(this.#firstBare(nonce)), serverFirst, withoutProof);
    this.#step = { kind: 'deriving' };
    const keys = await this.#keysFor(challenge).catch((error: unknown) => {
      this.dispose();
      throw error;
    });
    try {
      this.#take('deriving');
      const proof = xor(keys.clientKey, hmac(keys.storedKey, signed));
      this.#step = { kind: 'proof sent', serverSignature: SecretBuffer.take(hmac(keys.serverKey, signed)) };
      return Buffer.concat([withoutProof, Buffer.from(',p='), encodeBase64(proof)]);
    } finally {
      wipeKeys(keys);
    }
  }

  /** In the place of `continue`; the login ends here. */
  challenge(serverFirst: Buffer): ScramChallenge {
    const { nonce } = this.#take('started');
    const { salt, iterations } = readServerFirst(serverFirst, nonce);
    return { salt, iterations };
  }

  /** Returns if the server knows the password too. */
  finish(serverFinal: Buffer): void {
    const { serverSignature } = this.#take('proof sent');
    try {
      const signature = readServerFinal(serverFinal);
      const isRight = serverSignature.use((expected) => timingSafeEqual(expected, signature));
      if (!isRight) throw unsuitable('the signature of the server is wrong');
      this.#step = { kind: 'proven' };
    } finally {
      serverSignature.dispose();
    }
  }

  dispose(): void {
    if (this.#step.kind === 'proof sent') this.#step.serverSignature.dispose();
    this.#step = { kind: 'ended' };
  }

  /** The user's name is left empty, as libpq does: the database takes the one of the start-up packet. */
  #firstBare(nonce: string): string {
    return `n=,r=${nonce}`;
  }

  /** Leaves a step for good: unless the next one is entered, the login has failed. */
  #take<Kind extends Step['kind']>(kind: Kind): StepOf<Kind> {
    const step = this.#step;
    if (step.kind !== kind) {
      this.dispose();
      throw outOfTurn();
    }
    this.#step = { kind: 'ended' };
    return step as StepOf<Kind>;
  }
}
