/**
 * k of n over KMS keys, which may be of other regions and accounts: the data key is made in the enclave and shared out, and each share lies
 * under a data key of one KMS key that was born with Recipient. All keys are asked at once, and all are heard out: that one no longer
 * gives its share is told while the others still do. Specification: docs/specs/key-sets.md, 6.
 */
import { canonicalJson } from '../../encoding/canonical-json.ts';
import type { AttestedKms } from '../../kms/client.ts';
import type { Random } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeyError } from '../errors.ts';
import { DATA_KEY_BYTES, type KeptBy, type KmsShare } from '../set/kept-by.ts';
import type { KeySet } from '../set/key-set.ts';
import { openBytes, sealBytes } from '../set/sealed-bytes.ts';
import { KeeperError } from './errors.ts';
import type { KeyKeeper, NewDataKey } from './keeper.ts';
import { contextOf, type KmsContext, requireMeasuredKey } from './measured-key.ts';
import { type ShareFailure, tooFewShares } from './share-failure.ts';
import { combineShares, shareDigest, splitSecret } from './shares.ts';

export interface ThresholdKeeperOptions {
  /** `name` of enclave.yaml. */
  readonly enclave: string;
  readonly k: number;
  /** A share for each. */
  readonly keyArns: readonly string[];
  /** Under which shares of a set may still lie, beside these. */
  readonly formerKeyArns: readonly string[];
  /** Of enclave.yaml, without the generation. */
  readonly encryptionContext: KmsContext;
  /** KMS where that key is. */
  readonly kmsOf: (keyArn: string) => Pick<AttestedKms, 'decrypt' | 'generateDataKey'>;
  readonly random: Random;
  /** A key has not given its share, though others may have been enough. */
  readonly onFailure: (failure: ShareFailure) => void;
}

type Asked<Result> = { readonly result: Result } | { readonly failure: ShareFailure };

export class ThresholdKeeper implements KeyKeeper {
  readonly #options: ThresholdKeeperOptions;

  constructor(options: ThresholdKeeperOptions) {
    this.#options = options;
  }

  /** @throws KeeperError KEY_SHARES_REFUSED, KEY_SHARES_UNAVAILABLE: each of the keys is needed */
  async create(generation: number, signal: AbortSignal): Promise<NewDataKey> {
    const { k, keyArns, random } = this.#options;
    const dataKey = SecretBuffer.take(random.bytes(DATA_KEY_BYTES));
    const shares = await splitSecret(dataKey, { k, n: keyArns.length });
    try {
      const asked = await this.#askEach(keyArns.toSorted(), (keyArn, index) =>
        this.#seal(keyArn, generation, shares[index] as SecretBuffer, signal),
      );
      signal.throwIfAborted();
      if (asked.failures.length > 0) {
        throw tooFewShares(asked.failures, 0, 'not every KMS key takes its share of the data key');
      }
      return { dataKey, keeper: { kind: 'threshold', k, shares: asked.results } };
    } catch (error) {
      dataKey.dispose();
      throw error;
    } finally {
      for (const share of shares) share.dispose();
    }
  }

  /** @throws KeyError KEY_SET_OTHER_KEEPER; KeeperError KEY_SHARES_REFUSED, KEY_SHARES_UNAVAILABLE; the signal's reason */
  async open({ keeper, generation }: KeySet, signal: AbortSignal): Promise<SecretBuffer> {
    const { k, shares } = requireThreshold(keeper);
    for (const share of shares) this.#measuredKey(share, generation);
    const asked = await this.#askEach(shares, (share) => this.#open(share, generation, signal));
    try {
      signal.throwIfAborted();
      if (asked.results.length < k) {
        throw tooFewShares(
          asked.failures,
          shares.length - k,
          `fewer than ${k} KMS keys give their share of the data key`,
        );
      }
      return await combineShares(asked.results.slice(0, k));
    } finally {
      for (const share of asked.results) share.dispose();
    }
  }

  async #askEach<Holder extends string | KmsShare, Result>(
    holders: readonly Holder[],
    ask: (holder: Holder, index: number) => Promise<Result>,
  ): Promise<{ readonly results: Result[]; readonly failures: readonly ShareFailure[] }> {
    const asked = await Promise.all(
      holders.map(async (holder, index): Promise<Asked<Result>> => {
        try {
          return { result: await ask(holder, index) };
        } catch (error) {
          return { failure: { keyArn: typeof holder === 'string' ? holder : holder.keyArn, error } };
        }
      }),
    );
    const results = asked.flatMap((each) => ('result' in each ? [each.result] : []));
    const failures = asked.flatMap((each) => ('failure' in each ? [each.failure] : []));
    return { results, failures };
  }

  async #seal(keyArn: string, generation: number, share: SecretBuffer, signal: AbortSignal): Promise<KmsShare> {
    const { kmsOf, random } = this.#options;
    const encryptionContext = contextOf(this.#options.encryptionContext, generation);
    const { plaintext, ciphertext } = await kmsOf(keyArn).generateDataKey({ keyArn, encryptionContext, signal });
    using key = plaintext;
    const sealed = sealBytes(share, { key, bound: this.#bound(keyArn, generation), random }).toString('base64');
    const dataKey = ciphertext.toString('base64');
    return { keyArn, encryptionContext, dataKey, sealed, sha256: shareDigest(share) };
  }

  /** @throws KmsError; KeeperError KEY_SHARE_WRONG; the signal's reason */
  async #open(share: KmsShare, generation: number, signal: AbortSignal): Promise<SecretBuffer> {
    try {
      return await this.#openShare(share, generation, signal);
    } catch (error) {
      if (!signal.aborted) this.#options.onFailure({ keyArn: share.keyArn, error });
      throw error;
    }
  }

  async #openShare(share: KmsShare, generation: number, signal: AbortSignal): Promise<SecretBuffer> {
    const keyArn = this.#measuredKey(share, generation);
    const encryptionContext = contextOf(this.#options.encryptionContext, generation);
    const ciphertext = Buffer.from(share.dataKey, 'base64');
    using key = await this.#options.kmsOf(keyArn).decrypt({ ciphertext, keyArn, encryptionContext, signal });
    const sealed = Buffer.from(share.sealed, 'base64');
    const opened =
      key.length === DATA_KEY_BYTES
        ? openBytes(sealed, { key, bound: this.#bound(share.keyArn, generation) })
        : undefined;
    if (opened !== undefined && shareDigest(opened) === share.sha256) return opened;
    opened?.dispose();
    throw new KeeperError('KEY_SHARE_WRONG', `the share under ${share.keyArn} is not the one that the key set names`, {
      found: opened === undefined ? 'it does not open' : 'another hash',
    });
  }

  #measuredKey(share: KmsShare, generation: number): string {
    const { keyArns, formerKeyArns, encryptionContext } = this.#options;
    return requireMeasuredKey(share, { keyArns: [...keyArns, ...formerKeyArns], encryptionContext, generation });
  }

  #bound(keyArn: string, generation: number): Buffer {
    const { enclave } = this.#options;
    return Buffer.from(canonicalJson({ domain: 'acra-enclave key share v1', enclave, generation, keyArn }), 'utf8');
  }
}

function requireThreshold(keeper: KeptBy): Extract<KeptBy, { kind: 'threshold' }> {
  if (keeper.kind === 'threshold') return keeper;
  throw new KeyError('KEY_SET_OTHER_KEEPER', 'the key set has no shares under KMS keys', {
    found: keeper.kind,
    allowed: 'threshold',
  });
}
