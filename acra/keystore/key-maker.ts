/** Makes the keys of a keystore v1, each sealed under the master key as soon as it is made (acra-server contract 9.2). */
import type { Random } from '../../runtime/random.ts';
import type { KeyFile } from './layout.ts';
import { SYMMETRIC_KEY_BYTES } from './layout.ts';
import type { Themis } from './themis.ts';
import type { KeyContent } from './write-keystore.ts';

export class KeyMaker {
  readonly #themis: Themis;
  readonly #masterKey: Buffer;
  readonly #random: Random;

  constructor(themis: Themis, masterKey: Buffer, random: Random) {
    this.#themis = themis;
    this.#masterKey = masterKey;
    this.#random = random;
  }

  /** Zeroes the secret. */
  seal(file: KeyFile, secret: Buffer): KeyContent {
    const content = this.#themis.seal(this.#masterKey, secret, file.context ?? '');
    secret.fill(0);
    return { file, content };
  }

  symmetric(file: KeyFile): KeyContent {
    return this.seal(file, this.#random.bytes(SYMMETRIC_KEY_BYTES));
  }

  pair(privateFile: KeyFile, publicFile: KeyFile): KeyContent[] {
    const { privateKey, publicKey } = this.#themis.newKeyPair();
    return [this.seal(privateFile, privateKey), { file: publicFile, content: publicKey }];
  }
}
