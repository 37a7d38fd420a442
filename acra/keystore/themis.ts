/**
 * The real Themis (wasm-themis 0.15) behind three operations on Buffers: Secure Cell Seal, and EC key pairs.
 *
 * Its pitfalls (acra-server contract 9.2) end here: its loader hands a file path to `fetch`, which Node refuses, so it is
 * given an object URL of the same bytes; it installs process-wide exception handlers, which are removed again; and an
 * exception out of the library would print its 2.4 MB source line, so only the message is carried on.
 *
 * The library copies keys into its own heap and into JavaScript arrays that cannot be zeroed. A daemon must therefore
 * not load it: it inspects and changes keystores through check-process.ts and change-process.ts.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { KeystoreError } from '../errors.ts';

type Library = typeof import('wasm-themis');

export interface Themis {
  /**
   * Secure Cell Seal. @param plaintext at least one byte.
   * @throws KeystoreError KEYSTORE_CRYPTO_UNAVAILABLE
   */
  seal(key: Buffer, plaintext: Buffer, context: string): Buffer;
  /** The plaintext, or undefined when the cell does not open: other key, other context, or changed bytes. */
  open(key: Buffer, sealed: Buffer, context: string): Buffer | undefined;
  /** A fresh EC key pair in Themis's own encoding, 45 bytes each. */
  newKeyPair(): { readonly privateKey: Buffer; readonly publicKey: Buffer };
  /** Whether both are well-formed and belong together: what one signs, the other verifies. */
  isKeyPair(privateKey: Buffer, publicKey: Buffer): boolean;
}

const HANDLED_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** Runs `load` and removes the process-wide handlers that it adds. */
async function withoutNewHandlers<Result>(load: () => Promise<Result>): Promise<Result> {
  const before = HANDLED_EVENTS.map((event) => new Set<unknown>(process.rawListeners(event)));
  try {
    return await load();
  } finally {
    for (const [index, event] of HANDLED_EVENTS.entries()) {
      for (const listener of process.rawListeners(event)) {
        if (!before[index]?.has(listener)) process.removeListener(event, listener as () => void);
      }
    }
  }
}

/** The first words of a failure inside the library: its errors can hold what it was given. */
class LibraryFailure extends Error {}

function unavailable(error: unknown): KeystoreError {
  const message = error instanceof Error ? error.message.slice(0, 200) : 'unknown failure';
  return new KeystoreError('KEYSTORE_CRYPTO_UNAVAILABLE', 'the Themis library failed', {
    cause: new LibraryFailure(message),
  });
}

async function loadLibrary(): Promise<Library> {
  try {
    return await withoutNewHandlers(async () => {
      const library = await import('wasm-themis');
      const folder = dirname(createRequire(import.meta.url).resolve('wasm-themis'));
      const code = await readFile(join(folder, 'libthemis.wasm'));
      const url = URL.createObjectURL(new Blob([code], { type: 'application/wasm' }));
      try {
        await library.initialize(url);
      } finally {
        URL.revokeObjectURL(url);
      }
      return library;
    });
  } catch (error) {
    throw unavailable(error);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Runs `action`; a complaint of Themis about its input becomes undefined, anything else our own error. */
function unlessRefused<Result>(library: Library, action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    const noMemory = library.ThemisErrorCode.NO_MEMORY;
    if (error instanceof library.ThemisError && Reflect.get(error, 'errorCode') !== noMemory) return undefined;
    throw unavailable(error);
  }
}

function required<Result>(result: Result | undefined): Result {
  if (result === undefined) throw unavailable(new LibraryFailure('Themis refused its input'));
  return result;
}

function verifies(library: Library, privateKey: Buffer, publicKey: Buffer): boolean {
  const message = Buffer.from('do these two belong together?');
  const signed = new library.SecureMessageSign(new library.PrivateKey(privateKey)).sign(message);
  const seen = new library.SecureMessageVerify(new library.PublicKey(publicKey)).verify(signed);
  return message.equals(seen);
}

function bind(library: Library): Themis {
  return {
    seal(key, plaintext, context) {
      const cell = () => library.SecureCellSeal.withKey(key).encrypt(plaintext, Buffer.from(context));
      return asBuffer(required(unlessRefused(library, cell)));
    },
    open(key, sealed, context) {
      const cell = () => library.SecureCellSeal.withKey(key).decrypt(sealed, Buffer.from(context));
      const opened = unlessRefused(library, cell);
      return opened && asBuffer(opened);
    },
    newKeyPair() {
      const pair = required(unlessRefused(library, () => new library.KeyPair()));
      return { privateKey: asBuffer(pair.privateKey), publicKey: asBuffer(pair.publicKey) };
    },
    isKeyPair(privateKey, publicKey) {
      return unlessRefused(library, () => verifies(library, privateKey, publicKey)) ?? false;
    },
  };
}

let loading: Promise<Themis> | undefined;

/**
 * Loads the library once, on first use (about 0.2 s, 90 MB of address space).
 * @throws KeystoreError KEYSTORE_CRYPTO_UNAVAILABLE
 */
export function loadThemis(): Promise<Themis> {
  loading ??= loadLibrary().then(bind);
  return loading;
}
