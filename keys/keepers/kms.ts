/**
 * The data key is one of KMS's: born with Recipient, and opened with Recipient, under the measured key and encryption context, to which the
 * generation is added. What a set says of its keeper is compared with the measured configuration before KMS is asked.
 */
import { isSameKeyMaterial } from '../../config/aws-names.ts';
import { canonicalJson } from '../../encoding/canonical-json.ts';
import type { AttestedKms } from '../../kms/client.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeyError } from '../errors.ts';
import { GENERATION_CONTEXT, type KeySet } from '../set/key-set.ts';
import type { KeptBy, KeyKeeper, NewDataKey } from './keeper.ts';

type Context = Readonly<Record<string, string>>;

export interface KmsKeeperOptions {
  readonly kms: Pick<AttestedKms, 'decrypt' | 'generateDataKey'>;
  readonly keyArn: string;
  /** Of enclave.yaml, without the generation. */
  readonly encryptionContext: Context;
  /** Under which a set may still lie, beside keyArn. */
  readonly formerKeyArns: readonly string[];
}

export class KmsKeeper implements KeyKeeper {
  readonly #options: KmsKeeperOptions;

  constructor(options: KmsKeeperOptions) {
    this.#options = options;
  }

  async create(generation: number, signal: AbortSignal): Promise<NewDataKey> {
    const { kms, keyArn } = this.#options;
    const encryptionContext = this.#contextOf(generation);
    const { plaintext, ciphertext } = await kms.generateDataKey({ keyArn, encryptionContext, signal });
    const dataKey = ciphertext.toString('base64');
    return { dataKey: plaintext, keeper: { kind: 'kms', keyArn, encryptionContext, dataKey } };
  }

  async open(
    { keeper, generation }: Pick<KeySet, 'keeper' | 'generation'>,
    signal: AbortSignal,
  ): Promise<SecretBuffer> {
    const keyArn = this.#requireMeasured(keeper, generation);
    const encryptionContext = this.#contextOf(generation);
    const ciphertext = Buffer.from(keeper.dataKey, 'base64');
    return await this.#options.kms.decrypt({ ciphertext, keyArn, encryptionContext, signal });
  }

  #contextOf(generation: number): Context {
    return { ...this.#options.encryptionContext, [GENERATION_CONTEXT]: String(generation) };
  }

  /** @returns the measured name of the key */
  #requireMeasured(keeper: KeptBy, generation: number): string {
    const { keyArn, formerKeyArns } = this.#options;
    const known = [keyArn, ...formerKeyArns];
    const measured = known.find((each) => isSameKeyMaterial(each, keeper.keyArn));
    if (measured === undefined) throw otherKeeper('under another KMS key', keeper.keyArn, known.join(', '));
    const context = this.#contextOf(generation);
    if (canonicalJson(keeper.encryptionContext) === canonicalJson(context)) return measured;
    throw otherKeeper(
      'under another encryption context',
      canonicalJson(keeper.encryptionContext),
      canonicalJson(context),
    );
  }
}

function otherKeeper(message: string, found: string, allowed: string): KeyError {
  return new KeyError('KEY_SET_OTHER_KEEPER', `the key set lies ${message}`, { found, allowed });
}
