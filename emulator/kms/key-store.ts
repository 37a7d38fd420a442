/** The keys of the emulated KMS: one file each (mode 0600), replaced in one step, so a restart or a crash loses nothing. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { partitionOf } from '../../config/aws-names.ts';
import type { Policy } from '../../kms/policy/language/document.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { ACCOUNT_ID } from '../principal.ts';
import { makeStateFolder, parseState, readIfPresent, writeAtomically } from '../state-file.ts';
import type { KeySpec, KeyUsage } from './key-kinds.ts';
import { KEY_SPECS, KEY_USAGES, makeMaterial } from './key-kinds.ts';
import { acceptKeyPolicy } from './policies.ts';
import { ServiceError } from './service-error.ts';

const KEY_FILE = /^[0-9a-f-]{36}\.json$/;

const recordSchema = z.strictObject({
  keyId: z.uuid(),
  description: z.string(),
  createdAtMs: z.int(),
  enabled: z.boolean(),
  policyText: z.string(),
  /** Absent in folders of earlier releases. */
  keySpec: z.enum(KEY_SPECS).default('SYMMETRIC_DEFAULT'),
  keyUsage: z.enum(KEY_USAGES).default('ENCRYPT_DECRYPT'),
  materialBase64: z.base64(),
});

export interface KmsKey {
  readonly keyId: string;
  readonly arn: string;
  readonly description: string;
  readonly createdAtMs: number;
  readonly enabled: boolean;
  /** As it was given, for GetKeyPolicy. */
  readonly policyText: string;
  readonly policy: Policy;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  /** The bytes of a symmetric key, or PKCS #8. */
  readonly material: Buffer;
}

type NewKey = Pick<KmsKey, 'description' | 'policyText' | 'keySpec' | 'keyUsage'>;

interface KeyStoreOptions {
  readonly folder: string;
  readonly region: string;
  readonly clock: Clock;
  readonly random: Random;
}

export class KeyStore {
  readonly #options: KeyStoreOptions;
  readonly #keys: Map<string, KmsKey>;
  /** Changes go one after the other, so that none is lost and files change in the order of answers. */
  #lastChange: Promise<unknown> = Promise.resolve();

  private constructor(options: KeyStoreOptions, keys: Map<string, KmsKey>) {
    this.#options = options;
    this.#keys = keys;
  }

  /** Reads all keys of the folder. @throws EmulatorError EMULATOR_STATE */
  static async open(options: KeyStoreOptions): Promise<KeyStore> {
    await makeStateFolder(options.folder);
    const keys = new Map<string, KmsKey>();
    const store = new KeyStore(options, keys);
    const names = (await readdir(options.folder)).filter((name) => KEY_FILE.test(name));
    for (const name of names) {
      const path = join(options.folder, name);
      const record = parseState(path, (await readIfPresent(path)) ?? '', recordSchema);
      const { policyText, materialBase64, ...rest } = record;
      const material = Buffer.from(materialBase64, 'base64');
      keys.set(record.keyId, {
        ...rest,
        arn: store.#arn(record.keyId),
        policyText,
        policy: acceptKeyPolicy(policyText),
        material,
      });
    }
    return store;
  }

  /** @throws ServiceError MalformedPolicyDocumentException; EmulatorError EMULATOR_STATE */
  async create(key: NewKey): Promise<KmsKey> {
    const keyId = randomUUID();
    const created: KmsKey = {
      keyId,
      arn: this.#arn(keyId),
      description: key.description,
      createdAtMs: this.#options.clock.nowMs(),
      enabled: true,
      policyText: key.policyText,
      policy: acceptKeyPolicy(key.policyText),
      keySpec: key.keySpec,
      keyUsage: key.keyUsage,
      material: await makeMaterial(key.keySpec, this.#options.random),
    };
    await this.#save(created);
    return created;
  }

  /** @param reference key ID or key ARN. @throws ServiceError NotFoundException */
  find(reference: string): KmsKey {
    const key = this.#keys.get(reference) ?? this.#keys.get(reference.replace(this.#arn(''), ''));
    if (key !== undefined) return key;
    throw new ServiceError('NotFoundException', `Key '${reference}' does not exist`);
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  /** @throws ServiceError MalformedPolicyDocumentException; EmulatorError EMULATOR_STATE */
  async setPolicy(keyId: string, policyText: string): Promise<void> {
    const policy = acceptKeyPolicy(policyText);
    await this.#change(keyId, { policyText, policy });
  }

  /** @throws EmulatorError EMULATOR_STATE */
  async setEnabled(keyId: string, enabled: boolean): Promise<void> {
    await this.#change(keyId, { enabled });
  }

  #change(keyId: string, change: Partial<KmsKey>): Promise<void> {
    const changed = this.#lastChange.then(() => this.#save({ ...this.find(keyId), ...change }));
    this.#lastChange = changed.catch(() => undefined);
    return changed;
  }

  async #save(key: KmsKey): Promise<void> {
    const { arn: _arn, policy: _policy, material, ...rest } = key;
    const record: z.infer<typeof recordSchema> = { ...rest, materialBase64: material.toString('base64') };
    await writeAtomically(join(this.#options.folder, `${key.keyId}.json`), JSON.stringify(record));
    this.#keys.set(key.keyId, key);
  }

  #arn(keyId: string): string {
    return `arn:${partitionOf(this.#options.region).name}:kms:${this.#options.region}:${ACCOUNT_ID}:key/${keyId}`;
  }
}
