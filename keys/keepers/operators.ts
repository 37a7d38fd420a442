/**
 * k of n over operators, without any KMS: the data key is made in the enclave and shared out, each share encrypted to one operator's X25519
 * key. After each start the enclave waits for k of them to load their shares (`keys load`), which are compared with the hashes in the set.
 * While it runs, operators are not called for each change: a data key that was made in this boot is known without them, but only when k of
 * those that it is for have shown in this boot that they can open what is encrypted to them. So no set is first used that nobody can open.
 * Specification: docs/specs/key-sets.md, 6.
 */
import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../encoding/canonical-json.ts';
import type { Random } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeyError } from '../errors.ts';
import { hpkeSeal } from '../requests/hpke.ts';
import { DATA_KEY_BYTES, type KeptBy, type OperatorShare } from '../set/kept-by.ts';
import { encodeKeySet, type KeySet, keySetDigest } from '../set/key-set.ts';
import { KeeperError } from './errors.ts';
import type { KeyKeeper, NewDataKey } from './keeper.ts';
import { LoadedShares, type ShareCount } from './loaded-shares.ts';
import { operatorShareBinding } from './operator-share.ts';
import { shareDigest, splitSecret } from './shares.ts';

/** Sets that were made and not yet brought; more are asked for by nobody. */
const MAX_REMEMBERED = 4;

export interface OperatorsKeeperOptions {
  /** `name` of enclave.yaml. */
  readonly enclave: string;
  readonly k: number;
  /** X25519, 32 raw bytes, by the operator's name; a share for each. */
  readonly recipients: ReadonlyMap<string, Buffer>;
  readonly random: Random;
  /** Whether sets of other images are taken: of their operators nothing is measured here. Else a set has these, and k of them. */
  readonly takesOthers: boolean;
}

export class OperatorsKeeper implements KeyKeeper {
  readonly #options: OperatorsKeeperOptions;
  /** Of the set that was brought last. */
  #awaited: LoadedShares | undefined;
  /** X25519 keys, base64, whose holders have loaded a right share. */
  readonly #proven = new Set<string>();
  /** By canonical JSON of the keeper, in the order of their making. */
  readonly #remembered = new Map<string, SecretBuffer>();

  constructor(options: OperatorsKeeperOptions) {
    this.#options = options;
  }

  async create(generation: number, _signal: AbortSignal): Promise<NewDataKey> {
    const { k, recipients, random } = this.#options;
    const dataKey = SecretBuffer.take(random.bytes(DATA_KEY_BYTES));
    const shares = await splitSecret(dataKey, { k, n: recipients.size });
    try {
      const names = [...recipients.keys()].sort();
      const sealed = await Promise.all(
        names.map((operator, index) => this.#seal(operator, generation, shares[index] as SecretBuffer)),
      );
      const keeper: KeptBy = { kind: 'operators', k, shares: sealed };
      if (sealed.filter(({ recipient }) => this.#proven.has(recipient)).length >= k) this.#remember(keeper, dataKey);
      return { dataKey, keeper };
    } catch (error) {
      dataKey.dispose();
      throw error;
    } finally {
      for (const share of shares) share.dispose();
    }
  }

  /** @throws KeyError KEY_SET_OTHER_KEEPER; KeeperError KEY_SHARES_AWAITED */
  async open(set: KeySet, _signal: AbortSignal): Promise<SecretBuffer> {
    const { keeper } = set;
    if (keeper.kind !== 'operators') {
      const details = { found: keeper.kind, allowed: 'operators' };
      throw new KeyError('KEY_SET_OTHER_KEEPER', 'the key set has no shares of operators', details);
    }
    if (!this.#options.takesOthers) this.#requireMeasured(keeper);
    const remembered = this.#remembered.get(canonicalJson(keeper));
    if (remembered !== undefined) return remembered.use((bytes) => SecretBuffer.take(Buffer.from(bytes)));
    const digest = keySetDigest(encodeKeySet(set));
    if (this.#awaited?.digest !== digest) {
      this.#awaited?.dispose();
      this.#awaited = new LoadedShares(digest, keeper);
    }
    return await this.#awaited.combine();
  }

  /** Shares of which set are waited for, and whose are there; undefined before one was brought. */
  get awaited(): ShareCount | undefined {
    return this.#awaited?.count;
  }

  /**
   * @param share taken over. @returns what there is now
   * @throws KeeperError KEY_SHARE_UNEXPECTED, KEY_SHARE_WRONG: it then does not count
   */
  load(keySet: string, operator: string, share: SecretBuffer): ShareCount {
    if (this.#awaited?.digest !== keySet) {
      share.dispose();
      throw new KeeperError('KEY_SHARE_UNEXPECTED', 'no share of this key set is waited for', {
        found: keySet,
        allowed: this.#awaited?.digest ?? 'none: no key set was brought',
      });
    }
    this.#proven.add(this.#awaited.add(operator, share).recipient);
    return this.#awaited.count;
  }

  /** Zeroes what was loaded and what is remembered. */
  dispose(): void {
    this.#awaited?.dispose();
    this.#awaited = undefined;
    for (const dataKey of this.#remembered.values()) dataKey.dispose();
    this.#remembered.clear();
  }

  /** What a set of this image names: so that a forged transcript alone makes nobody an operator. @throws KeyError KEY_SET_OTHER_KEEPER */
  #requireMeasured({ k, shares }: Extract<KeptBy, { kind: 'operators' }>): void {
    const own = this.#options;
    const named = (each: readonly (readonly [string, string])[]) => each.map((pair) => pair.join(': ')).sort();
    const found = named(shares.map(({ operator, recipient }) => [operator, recipient]));
    const allowed = named([...own.recipients].map(([operator, key]) => [operator, key.toString('base64')]));
    if (k === own.k && isDeepStrictEqual(found, allowed)) return;
    const message = 'others keep the key set than the operators that the measured configuration names';
    const details = { found: `${k} of ${found.join(', ')}`, allowed: `${own.k} of ${allowed.join(', ') || 'nobody'}` };
    throw new KeyError('KEY_SET_OTHER_KEEPER', message, details);
  }

  async #seal(operator: string, generation: number, share: SecretBuffer): Promise<OperatorShare> {
    const { enclave, recipients } = this.#options;
    const recipient = recipients.get(operator) as Buffer;
    const binding = operatorShareBinding({ enclave, generation, operator });
    const message = await hpkeSeal(recipient, share, binding);
    return { operator, recipient: recipient.toString('base64'), ...message, sha256: shareDigest(share) };
  }

  #remember(keeper: KeptBy, dataKey: SecretBuffer): void {
    const copy = dataKey.use((bytes) => SecretBuffer.take(Buffer.from(bytes)));
    this.#remembered.set(canonicalJson(keeper), copy);
    const [oldest] = this.#remembered;
    if (this.#remembered.size <= MAX_REMEMBERED || oldest === undefined) return;
    oldest[1].dispose();
    this.#remembered.delete(oldest[0]);
  }
}
