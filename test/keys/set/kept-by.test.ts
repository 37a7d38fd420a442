import t from 'tap';
import { KeyError } from '../../../keys/errors.ts';
import { decodeKeySet, encodeKeySet, type KeySet } from '../../../keys/set/key-set.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { keeperFor, makeSet, newOperators, sharesOf } from '../keepers/support/operators.ts';

t.test('rejects a set whose shares are too few, out of order or there twice (KEY_SET_INVALID)', async (t) => {
  const set = await makeSet(keeperFor(t, newOperators()));
  const [one, two, three] = sharesOf(set) as [Share, Share, Share];
  type Share = ReturnType<typeof sharesOf>[number];
  const withKeeper = (k: number, ...shares: Share[]): KeySet => ({ ...set, keeper: { kind: 'operators', k, shares } });
  const faults: readonly [what: string, set: KeySet][] = [
    ['4 of 3', withKeeper(4, one, two, three)],
    ['1 of 3', withKeeper(1, one, two, three)],
    ['one share', withKeeper(2, one)],
    ['another order', withKeeper(2, two, one, three)],
    ['one twice', withKeeper(2, one, one, three)],
  ];
  for (const [what, faulty] of faults) {
    const error = throwsCode(() => decodeKeySet(encodeKeySet(faulty)), KeyError, 'KEY_SET_INVALID');
    t.ok(error.found, what);
  }
  t.same(decodeKeySet(encodeKeySet(set)), set);
});
