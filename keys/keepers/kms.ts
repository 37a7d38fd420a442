/**
 * The data key is one of KMS's: born with Recipient, and opened with Recipient, under the measured key and encryption context, to which the
 * generation is added. What a set says of its keeper is compared with the measured configuration before KMS is asked.
 */
import type { AttestedKms } from '../../kms/client.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeyError } from '../errors.ts';
import type { KeySet } from '../set/key-set.ts';
import type { KeyKeeper, NewDataKey } from './keeper.ts';
import { contextOf, type KmsContext, requireMeasuredKey } from './measured-key.ts';

export interface KmsKeeperOptions {
  /** KMS where that key is. */
  readonly kmsOf: (keyArn: string) => Pick<AttestedKms, 'decrypt' | 'generateDataKey'>;
  readonly keyArn: string;
  /** Of enclave.yaml, without the generation. */
  readonly encryptionContext: KmsContext;
  /** Under which a set may still lie, beside keyArn. */
  readonly formerKeyArns: readonly string[];
}

export class KmsKeeper implements KeyKeeper {
  readonly #options: KmsKeeperOptions;

  constructor(options: KmsKeeperOptions) {
    this.#options = options;
  }

  async create(generation: number, signal: AbortSignal): Promise<NewDataKey> {
    const { kmsOf, keyArn } = this.#options;
    const encryptionContext = contextOf(this.#options.encryptionContext, generation);
    const { plaintext, ciphertext } = await kmsOf(keyArn).generateDataKey({ keyArn, encryptionContext, signal });
    const dataKey = ciphertext.toString('base64');
    return { dataKey: plaintext, keeper: { kind: 'kms', keyArn, encryptionContext, dataKey } };
  }

  async open(
    { keeper, generation }: Pick<KeySet, 'keeper' | 'generation'>,
    signal: AbortSignal,
  ): Promise<SecretBuffer> {
    if (keeper.kind !== 'kms') {
      const details = { found: keeper.kind, allowed: 'kms' };
      throw new KeyError('KEY_SET_OTHER_KEEPER', 'the key set does not lie under one KMS key', details);
    }
    const { kmsOf, encryptionContext: own } = this.#options;
    const keyArns = [this.#options.keyArn, ...this.#options.formerKeyArns];
    const keyArn = requireMeasuredKey(keeper, { keyArns, encryptionContext: own, generation });
    const ciphertext = Buffer.from(keeper.dataKey, 'base64');
    return await kmsOf(keyArn).decrypt({ ciphertext, keyArn, encryptionContext: contextOf(own, generation), signal });
  }
}
