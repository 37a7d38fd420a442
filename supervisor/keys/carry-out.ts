/**
 * Carries a plan out in a folder of its own: a short-lived process makes keys and seals (acra/keystore/change-process.ts), and what it wrote is
 * read back as the parts of a set. What is in use is read, and not touched.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChangeKeystoreOptions, changeKeystore } from '../../acra/keystore/change-process.ts';
import { MASTER_KEY_BYTES } from '../../acra/keystore/layout.ts';
import { databaseUserContext } from '../../acra/keystore/seal-file.ts';
import type { KeySet } from '../../keys/set/key-set.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { type KeystorePlan, type Plan, refused } from './plans/plan.ts';
import {
  inOrder,
  readSetKeystore,
  type SetKeystore,
  type SetSecret,
  secretsInOrder,
  writeSetSecrets,
} from './set-files.ts';
import type { TakenKeys } from './take-set.ts';

export interface MadeParts {
  /** The caller's to dispose. */
  readonly masterKey: SecretBuffer;
  readonly keystore: KeySet['keystore'];
  readonly secrets: KeySet['secrets'];
}

interface CarryOutOptions {
  /** Undefined for a ceremony. */
  readonly having: Pick<TakenKeys, 'set' | 'keys'> | undefined;
  /** Exists and is empty; the caller's to remove. */
  readonly folder: string;
  readonly random: Random;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Disposes of the plan's new secrets. @throws KeystoreError; the signal's reason */
export async function carryOut(plan: Plan, options: CarryOutOptions): Promise<MadeParts> {
  try {
    return await new Workshop(plan, options).make();
  } finally {
    for (const { plaintext } of plan.sealed) plaintext.dispose();
  }
}

class Workshop {
  readonly #plan: Plan;
  readonly #options: CarryOutOptions;
  readonly #newKeystore: string;

  constructor(plan: Plan, options: CarryOutOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#newKeystore = join(options.folder, 'keystore');
  }

  async make(): Promise<MadeParts> {
    const { keystore } = this.#plan;
    const { random } = this.#options;
    const isNew = keystore.kind === 'create' || keystore.kind === 'rewrap';
    const masterKey = isNew ? SecretBuffer.take(random.bytes(MASTER_KEY_BYTES)) : this.#masterKeyInUse();
    try {
      const kept = await this.#change(masterKey);
      const added = await this.#readSealed();
      return { masterKey, keystore: await this.#keystoreOf(keystore), secrets: secretsInOrder([...kept, ...added]) };
    } catch (error) {
      masterKey.dispose();
      throw error;
    }
  }

  get #having(): Pick<TakenKeys, 'set' | 'keys'> {
    const { having } = this.#options;
    if (having === undefined) throw refused('there is no key set that could be changed');
    return having;
  }

  #masterKeyInUse(): SecretBuffer {
    return this.#having.keys.masterKey.use((bytes) => SecretBuffer.take(Buffer.from(bytes)));
  }

  #sealedFile(index: number): string {
    return join(this.#options.folder, `new-${index}.sealed`);
  }

  /** @returns the secrets that stay, sealed under the set's master key */
  async #change(masterKey: SecretBuffer): Promise<readonly SetSecret[]> {
    const { keystore, kept, sealed } = this.#plan;
    const { signal, timeoutMs } = this.#options;
    if (keystore.kind === 'keep' && sealed.length === 0) return kept;
    const rewrapped = keystore.kind === 'rewrap' ? await this.#filesToRewrap(kept) : [];
    await changeKeystore({
      masterKey: keystore.kind === 'rewrap' ? this.#having.keys.masterKey : masterKey,
      keystore: this.#keystoreChange(keystore, masterKey, rewrapped),
      seal: sealed.map(({ user, plaintext }, index) => ({
        file: this.#sealedFile(index),
        context: databaseUserContext(user),
        plaintext,
      })),
      signal,
      timeoutMs,
    });
    if (keystore.kind !== 'rewrap') return kept;
    return Promise.all(
      kept.map(async (secret, index) => ({ ...secret, sealed: await readSealed(rewrapped[index]?.newFile ?? '') })),
    );
  }

  async #filesToRewrap(kept: readonly SetSecret[]) {
    const folder = join(this.#options.folder, 'secrets');
    await mkdir(folder, { mode: 0o700 });
    const written = await writeSetSecrets(folder, kept);
    return written.map(({ user, file }) => ({ file, newFile: `${file}.new`, context: databaseUserContext(user) }));
  }

  #keystoreChange(
    plan: KeystorePlan,
    newMasterKey: SecretBuffer,
    files: readonly { readonly file: string; readonly newFile: string; readonly context: string }[],
  ): ChangeKeystoreOptions['keystore'] {
    const newFolder = this.#newKeystore;
    switch (plan.kind) {
      case 'keep':
        return { kind: 'none' };
      case 'create':
        return { kind: 'create', newFolder, clientIds: plan.clientIds, poison: true };
      case 'add':
        return { kind: 'create', newFolder, clientIds: plan.clientIds, poison: false };
      case 'rotate': {
        const { keystoreFolder: folder } = this.#having.keys;
        return { kind: 'rotate', folder, newFolder, clientIds: plan.clientIds, nowMs: this.#options.clock.nowMs() };
      }
      case 'forget': {
        const { keystoreFolder: folder } = this.#having.keys;
        return { ...plan, folder, newFolder };
      }
      case 'rewrap':
        return { kind: 'rewrap', folder: this.#having.keys.keystoreFolder, newFolder, newMasterKey, files };
    }
  }

  async #keystoreOf({ kind }: KeystorePlan): Promise<SetKeystore> {
    if (kind === 'keep') return this.#having.set.keystore;
    const made = await readSetKeystore(this.#newKeystore);
    return kind === 'add' ? inOrder([...this.#having.set.keystore, ...made]) : made;
  }

  #readSealed(): Promise<SetSecret[]> {
    return Promise.all(
      this.#plan.sealed.map(async ({ user, slot, verifier }, index) => ({
        user,
        slot,
        verifier,
        sealed: await readSealed(this.#sealedFile(index)),
      })),
    );
  }
}

async function readSealed(file: string): Promise<string> {
  return (await readFile(file)).toString('base64');
}
