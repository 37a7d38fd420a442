/**
 * Themis itself (wasm-themis), which ours is compared with.
 *
 * Its loader hands a file path to `fetch`, which Node refuses, so it is given an object URL of the same bytes; it installs process-wide
 * exception handlers, which are removed again; and an exception out of the library would print its 2.4 MB source line, so only what it
 * refused is told.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Themis } from '../../../acra/keystore/themis.ts';

const HANDLED_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

async function load() {
  const before = HANDLED_EVENTS.map((event) => new Set<unknown>(process.rawListeners(event)));
  const loaded = await import('wasm-themis');
  for (const [index, event] of HANDLED_EVENTS.entries()) {
    const added = process.rawListeners(event).filter((listener) => !before[index]?.has(listener));
    for (const listener of added) process.removeListener(event, listener as () => void);
  }
  const folder = dirname(createRequire(import.meta.url).resolve('wasm-themis'));
  const code = new Blob([await readFile(join(folder, 'libthemis.wasm'))], { type: 'application/wasm' });
  await loaded.initialize(URL.createObjectURL(code));
  return loaded;
}

const library = await load();
const MESSAGE = Buffer.from('do these two belong together?');

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength);

/** Undefined where Themis refuses its input. */
function unlessRefused<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof library.ThemisError) return undefined;
    throw new Error(`Themis failed: ${String(error).slice(0, 200)}`);
  }
}

function required<Result>(result: Result | undefined): Result {
  if (result === undefined) throw new Error('Themis refused its input');
  return result;
}

export const referenceThemis: Themis = {
  seal(key, plaintext, context) {
    const cell = () => library.SecureCellSeal.withKey(key).encrypt(plaintext, Buffer.from(context));
    return asBuffer(required(unlessRefused(cell)));
  },
  open(key, sealed, context) {
    const opened = unlessRefused(() => library.SecureCellSeal.withKey(key).decrypt(sealed, Buffer.from(context)));
    return opened && asBuffer(opened);
  },
  newKeyPair() {
    const pair = required(unlessRefused(() => new library.KeyPair()));
    return { privateKey: asBuffer(pair.privateKey), publicKey: asBuffer(pair.publicKey) };
  },
  /** What one signs, the other verifies. */
  isKeyPair(privateKey, publicKey) {
    const verified = unlessRefused(() => {
      const signed = new library.SecureMessageSign(new library.PrivateKey(privateKey)).sign(MESSAGE);
      return new library.SecureMessageVerify(new library.PublicKey(publicKey)).verify(signed);
    });
    return verified !== undefined && MESSAGE.equals(verified);
  },
};
