/**
 * What a set says of a KMS key, held against the measured configuration before KMS is asked: the key, and the encryption context, to which
 * the generation is added.
 */
import { isSameKeyMaterial } from '../../config/aws-names.ts';
import { canonicalJson } from '../../encoding/canonical-json.ts';
import { KeyError } from '../errors.ts';
import { GENERATION_CONTEXT } from '../set/key-set.ts';

export type KmsContext = Readonly<Record<string, string>>;

interface Measured {
  /** One of these. */
  readonly keyArns: readonly string[];
  /** Of enclave.yaml, without the generation. */
  readonly encryptionContext: KmsContext;
  readonly generation: number;
}

/** @param own of enclave.yaml */
export function contextOf(own: KmsContext, generation: number): KmsContext {
  return { ...own, [GENERATION_CONTEXT]: String(generation) };
}

/** @returns the measured name of the key. @throws KeyError KEY_SET_OTHER_KEEPER */
export function requireMeasuredKey(
  said: { readonly keyArn: string; readonly encryptionContext: KmsContext },
  { keyArns, encryptionContext, generation }: Measured,
): string {
  const measured = keyArns.find((each) => isSameKeyMaterial(each, said.keyArn));
  if (measured === undefined) throw otherKeeper('under another KMS key', said.keyArn, keyArns.join(', '));
  const found = canonicalJson(said.encryptionContext);
  const allowed = canonicalJson(contextOf(encryptionContext, generation));
  if (found === allowed) return measured;
  throw otherKeeper('under another encryption context', found, allowed);
}

function otherKeeper(message: string, found: string, allowed: string): KeyError {
  return new KeyError('KEY_SET_OTHER_KEEPER', `the key set lies ${message}`, { found, allowed });
}
