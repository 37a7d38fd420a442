import type { KeyObject } from 'node:crypto';
import t from 'tap';
import { KeyError } from '../../../keys/errors.ts';
import { KeeperError } from '../../../keys/keepers/errors.ts';
import { openOperatorShare } from '../../../keys/keepers/operator-share.ts';
import type { OperatorsKeeper } from '../../../keys/keepers/operators.ts';
import { encodeKeySet, type KeySet, keySetDigest } from '../../../keys/set/key-set.ts';
import { openMasterKey } from '../../../keys/set/master-key.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { keeperFor, MASTER_KEY, makeSet, newOperators, type Operators, sharesOf } from './support/operators.ts';
import { bytesOf, secretOf, subsets } from './support/secrets.ts';

const signal = new AbortController().signal;
const digestOf = (set: KeySet) => keySetDigest(encodeKeySet(set));

/** As each of them does, with the own private key. */
async function load(keeper: OperatorsKeeper, set: KeySet, { privateKeys }: Operators, ...names: readonly string[]) {
  for (const name of names) {
    const { operator, share } = await openOperatorShare(set, privateKeys.get(name) as KeyObject);
    keeper.load(digestOf(set), operator, share);
  }
}

t.test('waits for shares, and opens with those of any two of three', async (t) => {
  const operators = newOperators();
  const set = await makeSet(keeperFor(t, operators));
  for (const names of subsets([...operators.recipients.keys()], 2)) {
    const restarted = keeperFor(t, operators);
    const waits = await rejectsCode(() => restarted.open(set, signal), KeeperError, 'KEY_SHARES_AWAITED');
    t.equal(waits.message.split(': ')[1], '0 of 2');
    await load(restarted, set, operators, names[0] as string);
    const still = await rejectsCode(() => restarted.open(set, signal), KeeperError, 'KEY_SHARES_AWAITED');
    t.equal(still.message.split(': ')[1], `1 of 2 (${names[0]})`);
    t.same(restarted.awaited, { keySet: digestOf(set), needed: 2, loaded: [names[0]] });
    await load(restarted, set, operators, names[1] as string);
    t.same(bytesOf(openMasterKey(set, await restarted.open(set, signal))), MASTER_KEY);
  }
});

t.test('counts an operator once, however often a share comes', async (t) => {
  const operators = newOperators();
  const set = await makeSet(keeperFor(t, operators));
  const restarted = keeperFor(t, operators);
  await rejectsCode(() => restarted.open(set, signal), KeeperError, 'KEY_SHARES_AWAITED');
  await load(restarted, set, operators, 'bob', 'bob', 'bob');
  const waits = await rejectsCode(() => restarted.open(set, signal), KeeperError, 'KEY_SHARES_AWAITED');
  t.equal(waits.message.split(': ')[1], '1 of 2 (bob)');
});

t.test('refuses a wrong share by name, and does not count it (KEY_SHARE_WRONG)', async (t) => {
  const operators = newOperators();
  const set = await makeSet(keeperFor(t, operators));
  const restarted = keeperFor(t, operators);
  await rejectsCode(() => restarted.open(set, signal), KeeperError, 'KEY_SHARES_AWAITED');
  const { share } = await openOperatorShare(set, operators.privateKeys.get('alice') as KeyObject);
  const right = bytesOf(share);
  const changed = Buffer.from(right);
  changed[4] = (changed[4] as number) ^ 1;
  for (const wrong of [changed, right.subarray(1), Buffer.alloc(0)]) {
    const given = secretOf(wrong);
    const error = throwsCode(() => restarted.load(digestOf(set), 'alice', given), KeeperError, 'KEY_SHARE_WRONG');
    t.match(error.message, 'alice');
    t.throws(() => bytesOf(given), { code: 'RUNTIME_SECRET_WIPED' });
  }
  throwsCode(() => restarted.load(digestOf(set), 'bob', secretOf(right)), KeeperError, 'KEY_SHARE_WRONG');
  t.same(restarted.awaited?.loaded, []);
});

t.test('refuses shares of nobody, and of a set that is not waited for (KEY_SHARE_UNEXPECTED)', async (t) => {
  const operators = newOperators();
  const keeper = keeperFor(t, operators);
  const [set, other] = [await makeSet(keeper, 1), await makeSet(keeper, 2)];
  const restarted = keeperFor(t, operators);
  const share = () => secretOf(Buffer.alloc(33));
  throwsCode(() => restarted.load(digestOf(set), 'alice', share()), KeeperError, 'KEY_SHARE_UNEXPECTED');
  await rejectsCode(() => restarted.open(set, signal), KeeperError, 'KEY_SHARES_AWAITED');
  throwsCode(() => restarted.load(digestOf(set), 'mallory', share()), KeeperError, 'KEY_SHARE_UNEXPECTED');
  throwsCode(() => restarted.load(digestOf(other), 'alice', share()), KeeperError, 'KEY_SHARE_UNEXPECTED');
});

t.test('begins to count anew with another set', async (t) => {
  const operators = newOperators();
  const keeper = keeperFor(t, operators);
  const [set, other] = [await makeSet(keeper, 1), await makeSet(keeper, 2)];
  const restarted = keeperFor(t, operators);
  await rejectsCode(() => restarted.open(set, signal), KeeperError, 'KEY_SHARES_AWAITED');
  await load(restarted, set, operators, 'alice');
  await rejectsCode(() => restarted.open(other, signal), KeeperError, 'KEY_SHARES_AWAITED');
  await load(restarted, other, operators, 'bob');
  const waits = await rejectsCode(() => restarted.open(other, signal), KeeperError, 'KEY_SHARES_AWAITED');
  t.equal(waits.message.split(': ')[1], '1 of 2 (bob)');
});

t.test('does not take a first set that nobody has shown to be able to open', async (t) => {
  const keeper = keeperFor(t, newOperators());
  await rejectsCode(async () => keeper.open(await makeSet(keeper), signal), KeeperError, 'KEY_SHARES_AWAITED');
});

t.test('knows data keys of this boot without operators, once enough of them have opened something', async (t) => {
  const operators = newOperators();
  const keeper = keeperFor(t, operators);
  const first = await makeSet(keeper, 1);
  await rejectsCode(() => keeper.open(first, signal), KeeperError, 'KEY_SHARES_AWAITED');
  await load(keeper, first, operators, 'alice');
  await rejectsCode(async () => keeper.open(await makeSet(keeper, 2), signal), KeeperError, 'KEY_SHARES_AWAITED');
  await rejectsCode(() => keeper.open(first, signal), KeeperError, 'KEY_SHARES_AWAITED');
  await load(keeper, first, operators, 'alice', 'carol');
  const second = await makeSet(keeper, 2);
  t.same(bytesOf(openMasterKey(second, await keeper.open(second, signal))), MASTER_KEY);
  t.same(bytesOf(openMasterKey(second, await keeper.open(second, signal))), MASTER_KEY, 'when it is brought again');
  await rejectsCode(() => keeperFor(t, operators).open(second, signal), KeeperError, 'KEY_SHARES_AWAITED');
});

t.test('forgets what it remembers when there is more of it, and at the end', async (t) => {
  const operators = newOperators();
  const keeper = keeperFor(t, operators);
  const first = await makeSet(keeper, 1);
  await rejectsCode(() => keeper.open(first, signal), KeeperError, 'KEY_SHARES_AWAITED');
  await load(keeper, first, operators, 'alice', 'carol');
  const sets: KeySet[] = [];
  for (let generation = 2; generation < 7; generation += 1) sets.push(await makeSet(keeper, generation));
  const [oldest, ...others] = sets as [KeySet, ...KeySet[]];
  await rejectsCode(() => keeper.open(oldest, signal), KeeperError, 'KEY_SHARES_AWAITED');
  for (const set of others) t.equal((await keeper.open(set, signal)).length, 32);
  keeper.dispose();
  for (const set of others) await rejectsCode(() => keeper.open(set, signal), KeeperError, 'KEY_SHARES_AWAITED');
});

t.test('one share and everything in the set open nothing', async (t) => {
  const operators = newOperators();
  const set = await makeSet(keeperFor(t, operators));
  const shares = await Promise.all([...operators.privateKeys.values()].map((key) => openOperatorShare(set, key)));
  const held = sharesOf(set).flatMap((share) => [share.ciphertext, share.encapsulated, share.recipient, set.masterKey]);
  const bytes = [
    ...shares.map(({ share }) => bytesOf(share)),
    ...held.map((text) => Buffer.from(text, 'base64')),
    ...sharesOf(set).map(({ sha256 }) => Buffer.from(sha256, 'hex')),
    encodeKeySet(set),
  ];
  for (const each of bytes) {
    for (let at = 0; at + 32 <= each.length; at += 1) {
      using guess = secretOf(each.subarray(at, at + 32));
      throwsCode(() => openMasterKey(set, guess), KeyError, 'KEY_SET_UNSEALABLE');
    }
  }
});

t.test(
  'a share of the old set does not count for the next, nor open with its keys when operators have new ones',
  async (t) => {
    const [operators, next] = [newOperators(), newOperators()];
    const old = await makeSet(keeperFor(t, operators), 1);
    const reshared = await makeSet(keeperFor(t, next), 2);
    const restarted = keeperFor(t, next);
    await rejectsCode(() => restarted.open(reshared, signal), KeeperError, 'KEY_SHARES_AWAITED');
    for (const [name, key] of operators.privateKeys) {
      const { share } = await openOperatorShare(old, key);
      throwsCode(() => restarted.load(digestOf(reshared), name, share), KeeperError, 'KEY_SHARE_WRONG');
      await rejectsCode(() => openOperatorShare(reshared, key), KeeperError, 'KEY_SHARE_OTHER_RECIPIENT');
    }
  },
);

t.test('takes no set that others keep, or of whom fewer are enough (KEY_SET_OTHER_KEEPER)', async (t) => {
  const operators = newOperators();
  const names = [...operators.recipients];
  const fewer = { ...operators, recipients: new Map(names.slice(0, 2)) };
  const bob = { ...operators, recipients: new Map([...names, ...[...newOperators().recipients].slice(1, 2)]) };
  const nobody = { ...operators, recipients: new Map<string, Buffer>() };
  const kept = await makeSet(keeperFor(t, operators));
  for (const others of [newOperators(), fewer, bob, nobody]) {
    await rejectsCode(() => keeperFor(t, others).open(kept, signal), KeyError, 'KEY_SET_OTHER_KEEPER');
  }
  await rejectsCode(() => keeperFor(t, operators, { k: 3 }).open(kept, signal), KeyError, 'KEY_SET_OTHER_KEEPER');
});

t.test('goes over to operators with new keys, who first show that they can open', async (t) => {
  const [former, next] = [newOperators(), newOperators()];
  const old = await makeSet(keeperFor(t, former), 1);
  const keeper = keeperFor(t, next, { takesOthers: true });
  await rejectsCode(() => keeper.open(old, signal), KeeperError, 'KEY_SHARES_AWAITED');
  await load(keeper, old, former, 'alice', 'bob');
  t.same(bytesOf(openMasterKey(old, await keeper.open(old, signal))), MASTER_KEY);
  const reshared = await makeSet(keeper, 2);
  await rejectsCode(() => keeper.open(reshared, signal), KeeperError, 'KEY_SHARES_AWAITED');
  await load(keeper, reshared, next, 'bob', 'carol');
  t.same(bytesOf(openMasterKey(reshared, await keeper.open(reshared, signal))), MASTER_KEY);
});

t.test('tells an operator whose share was changed in the set (KEY_SHARE_UNSEALABLE, KEY_SHARE_WRONG)', async (t) => {
  const operators = newOperators();
  const set = await makeSet(keeperFor(t, operators));
  const [own, other] = sharesOf(set) as [ReturnType<typeof sharesOf>[number], ReturnType<typeof sharesOf>[number]];
  const key = operators.privateKeys.get(own.operator) as KeyObject;
  const open = (change: object, of: object = {}) =>
    openOperatorShare(
      { ...set, ...of, keeper: { kind: 'operators', k: 2, shares: [{ ...own, ...change }, other] } },
      key,
    );
  await rejectsCode(() => open({ ciphertext: other.ciphertext }), KeeperError, 'KEY_SHARE_UNSEALABLE');
  await rejectsCode(() => open({ operator: 'mallory' }), KeeperError, 'KEY_SHARE_UNSEALABLE');
  await rejectsCode(() => open({}, { generation: 2 }), KeeperError, 'KEY_SHARE_UNSEALABLE');
  await rejectsCode(() => open({}, { name: 'other' }), KeeperError, 'KEY_SHARE_UNSEALABLE');
  await rejectsCode(() => open({ sha256: other.sha256 }), KeeperError, 'KEY_SHARE_WRONG');
  t.equal((await open({})).operator, own.operator);
});
