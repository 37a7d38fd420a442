/**
 * The keeper that the measured configuration names makes data keys; sets of each kind are opened by the keeper of that kind, so that a set
 * can move from one keeper to another (`keys request rotate-kms` or `reshare` in an image that names the next one).
 */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeyError } from '../errors.ts';
import type { KeptBy } from '../set/kept-by.ts';
import type { KeySet } from '../set/key-set.ts';
import type { KeyKeeper, NewDataKey } from './keeper.ts';

type Kind = KeptBy['kind'];

export class KeepersByKind implements KeyKeeper {
  readonly #maker: KeyKeeper;
  readonly #openers: ReadonlyMap<Kind, KeyKeeper>;

  /** @param openers that of the kind which makes is among them */
  constructor(makes: Kind, openers: ReadonlyMap<Kind, KeyKeeper>) {
    this.#openers = openers;
    this.#maker = this.#of(makes);
  }

  create(generation: number, signal: AbortSignal): Promise<NewDataKey> {
    return this.#maker.create(generation, signal);
  }

  async open(set: KeySet, signal: AbortSignal): Promise<SecretBuffer> {
    return await this.#of(set.keeper.kind).open(set, signal);
  }

  /** @throws KeyError KEY_SET_OTHER_KEEPER */
  #of(kind: Kind): KeyKeeper {
    const keeper = this.#openers.get(kind);
    if (keeper !== undefined) return keeper;
    throw new KeyError('KEY_SET_OTHER_KEEPER', 'nobody of those that this configuration names keeps the data key', {
      found: kind,
      allowed: [...this.#openers.keys()].join(', '),
    });
  }
}
