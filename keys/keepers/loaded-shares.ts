/** The shares that operators have loaded for one key set: each operator's once, and only the one whose hash stands in the set. */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { KeptBy, OperatorShare } from '../set/kept-by.ts';
import { KeeperError } from './errors.ts';
import { combineShares, shareDigest } from './shares.ts';

export interface ShareCount {
  /** Hash of the key set. */
  readonly keySet: string;
  readonly needed: number;
  /** Operators whose shares are there, by name. */
  readonly loaded: readonly string[];
}

/** For status and log: `1 of 2 (alice)`. */
export function describeCount({ needed, loaded }: ShareCount): string {
  return `${loaded.length} of ${needed}${loaded.length === 0 ? '' : ` (${loaded.join(', ')})`}`;
}

export class LoadedShares {
  /** Of the key set. */
  readonly digest: string;
  readonly #keeper: Extract<KeptBy, { kind: 'operators' }>;
  readonly #loaded = new Map<string, SecretBuffer>();

  constructor(digest: string, keeper: Extract<KeptBy, { kind: 'operators' }>) {
    this.digest = digest;
    this.#keeper = keeper;
  }

  get count(): ShareCount {
    return { keySet: this.digest, needed: this.#keeper.k, loaded: [...this.#loaded.keys()].sort() };
  }

  /** @param share taken over; one that is there already is as good. @throws KeeperError KEY_SHARE_UNEXPECTED, KEY_SHARE_WRONG */
  add(operator: string, share: SecretBuffer): OperatorShare {
    const known = this.#keeper.shares.find((each) => each.operator === operator);
    if (known === undefined || shareDigest(share) !== known.sha256) {
      share.dispose();
      throw known === undefined ? this.#stranger(operator) : wrong(operator);
    }
    this.#loaded.get(operator)?.dispose();
    this.#loaded.set(operator, share);
    return known;
  }

  /** The shares stay, should the same set be brought again. @throws KeeperError KEY_SHARES_AWAITED */
  async combine(): Promise<SecretBuffer> {
    const { k } = this.#keeper;
    if (this.#loaded.size >= k) return await combineShares([...this.#loaded.values()].slice(0, k));
    throw new KeeperError('KEY_SHARES_AWAITED', `waiting for key shares of operators: ${describeCount(this.count)}`, {
      allowed: `${k} of ${this.#keeper.shares.map(({ operator }) => operator).join(', ')}`,
    });
  }

  dispose(): void {
    for (const share of this.#loaded.values()) share.dispose();
    this.#loaded.clear();
  }

  #stranger(operator: string): KeeperError {
    return new KeeperError('KEY_SHARE_UNEXPECTED', 'the key set has no share of this operator', {
      found: operator,
      allowed: this.#keeper.shares.map((each) => each.operator).join(', '),
    });
  }
}

function wrong(operator: string): KeeperError {
  return new KeeperError('KEY_SHARE_WRONG', `the share of ${operator} is not the one that the key set names`, {
    found: 'another hash',
  });
}
