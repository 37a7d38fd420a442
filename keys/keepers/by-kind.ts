/**
 * The keeper that the measured configuration names makes data keys; sets of each kind are opened by the keeper of that kind, so that a set
 * can move from one keeper to another (`keys rotate kms` or `keys reshare` in an image that names the next one).
 */
import { KeyError } from '../errors.ts';
import type { KeptBy } from '../set/kept-by.ts';
import type { KeyKeeper } from './keeper.ts';

type Kind = KeptBy['kind'];

/** @param makes the kind of new data keys. @throws KeyError KEY_SET_OTHER_KEEPER: nobody keeps those */
export function keepersByKind(makes: Kind, keepers: ReadonlyMap<Kind, KeyKeeper>): KeyKeeper {
  const keeperOf = (kind: Kind): KeyKeeper => {
    const keeper = keepers.get(kind);
    if (keeper !== undefined) return keeper;
    throw new KeyError('KEY_SET_OTHER_KEEPER', 'nobody of those that this configuration names keeps the data key', {
      found: kind,
      allowed: [...keepers.keys()].join(', '),
    });
  };
  const maker = keeperOf(makes);
  return {
    create: (generation, signal) => maker.create(generation, signal),
    open: async (set, signal) => await keeperOf(set.keeper.kind).open(set, signal),
  };
}
