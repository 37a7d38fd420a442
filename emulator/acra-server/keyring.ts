/** All keys, opened on start like acra-server's cache: a wrong master key is fatal (acra-server contract 1.3, 2.1). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkKeystore } from '../../acra/keystore/check.ts';
import type { KeyPurpose } from '../../acra/keystore/layout.ts';
import { listKeystore } from '../../acra/keystore/listing.ts';
import { useMasterKey } from '../../acra/keystore/master-key.ts';
import { requireSoundKeystore } from '../../acra/keystore/report.ts';
import type { Themis } from '../../acra/keystore/themis.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';

export class Keyring {
  readonly #keys = new Map<string, Buffer[]>();

  /** The current key first, then rotated ones. @param clientId empty for the keystore's own keys */
  keys(purpose: KeyPurpose, clientId: string): readonly Buffer[] {
    return this.#keys.get(`${purpose} ${clientId}`) ?? [];
  }

  /** @throws KeystoreError for anything unsound: unknown files, permissions, keys that do not open */
  static async load(themis: Themis, folder: string, masterKey: SecretBuffer): Promise<Keyring> {
    requireSoundKeystore(await checkKeystore({ folder, masterKey }));
    const keyring = new Keyring();
    const { files } = await listKeystore(folder);
    for (const { path, purpose, clientId = '', context } of files.toSorted((a, b) => +a.rotated - +b.rotated)) {
      const sealed = await readFile(join(folder, path));
      const key = useMasterKey(masterKey, (master) => themis.open(master, sealed, context ?? ''));
      if (key) keyring.#keys.set(`${purpose} ${clientId}`, [...keyring.keys(purpose, clientId), key]);
    }
    return keyring;
  }

  dispose(): void {
    for (const key of [...this.#keys.values()].flat()) key.fill(0);
  }
}
