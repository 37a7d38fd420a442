/**
 * What programs may ask KMS for: the measured list of keys and actions. A key is named by its ARN, the only name that nobody but AWS can
 * point elsewhere, or by its ID where that means one key of the list; KMS is asked by the ARN either way.
 */

import type { KmsProxySection } from '../../config/app/kms-proxy.ts';
import { parseKeyArn } from '../../config/aws-names.ts';
import { KmsProxyError } from './errors.ts';
import type { Members } from './members.ts';

export interface Judged {
  /** To be sent, with keys by their ARNs. */
  readonly members: Members;
  /** The key that KMS must answer for; undefined where no key is used. */
  readonly keyArn: string | undefined;
}

/** Members that name a key; of ReEncrypt the last is the one that the answer is for. */
const KEY_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  GenerateRandom: [],
  ReEncrypt: ['SourceKeyId', 'DestinationKeyId'],
};
const KEY_MEMBER = ['KeyId'];

const ALIAS = /^(?:alias\/|arn:[^:]*:kms:[^:]*:[^:]*:alias\/)/;
const MAX_SHOWN = 128;

export class Rules {
  readonly #section: Pick<KmsProxySection, 'allow' | 'random'>;

  constructor(section: Pick<KmsProxySection, 'allow' | 'random'>) {
    this.#section = section;
  }

  /** @throws KmsProxyError KMS_PROXY_ACTION, KMS_PROXY_KEY, KMS_PROXY_ALIAS, KMS_PROXY_KEY_UNNAMED */
  judge(action: string, region: string, members: Members): Judged {
    const allowed = this.#allowed(action, region);
    let keyArn: string | undefined;
    const named: Record<string, string> = {};
    for (const member of KEY_MEMBERS[action] ?? KEY_MEMBER) {
      keyArn = this.#keyOf(action, member, members, allowed);
      named[member] = keyArn;
    }
    return { members: { ...members, ...named }, keyArn };
  }

  /** ARNs of the keys that the action may use. @throws KmsProxyError KMS_PROXY_ACTION */
  #allowed(action: string, region: string): readonly string[] {
    const { allow, random } = this.#section;
    if (action === 'GenerateRandom' && random) return [];
    const keys = allow.filter(({ actions }) => (actions as readonly string[]).includes(action)).map(({ key }) => key);
    const here = keys.filter((key) => parseKeyArn(key)?.region === region);
    if (here.length > 0) return here;
    throw new KmsProxyError('KMS_PROXY_ACTION', `enclave.yaml allows no ${action} in ${region}`, {
      action:
        action === 'GenerateRandom'
          ? 'Set `kmsProxy.random: true` in enclave.yaml and build the image again.'
          : 'Name a key of that region and the action in `kmsProxy.allow` of enclave.yaml and build the image again.',
    });
  }

  #keyOf(action: string, member: string, members: Members, allowed: readonly string[]): string {
    const named = members[member];
    if (typeof named !== 'string' || named === '') return this.#onlyKey(action, member, allowed);
    if (ALIAS.test(named))
      throw new KmsProxyError('KMS_PROXY_ALIAS', `${member} of ${action} is an alias`, {
        found: named.slice(0, MAX_SHOWN),
      });
    const meant = allowed.filter((arn) => arn === named || parseKeyArn(arn)?.keyId === named);
    const [only, ...others] = meant;
    if (only !== undefined && others.length === 0) return only;
    throw new KmsProxyError(
      'KMS_PROXY_KEY',
      only === undefined
        ? `enclave.yaml does not allow ${action} with this key`
        : `${member} means several keys that enclave.yaml allows`,
      { found: named.slice(0, MAX_SHOWN) },
    );
  }

  /** KMS finds the key of a ciphertext by itself; it is told here, so that it opens nothing under another. */
  #onlyKey(action: string, member: string, allowed: readonly string[]): string {
    const [only, ...others] = allowed;
    if (action === 'Decrypt' && only !== undefined && others.length === 0) return only;
    throw new KmsProxyError('KMS_PROXY_KEY_UNNAMED', `${action} needs ${member}`, {
      ...(action === 'Decrypt' && { found: `${allowed.length} keys that enclave.yaml allows for it` }),
    });
  }
}
