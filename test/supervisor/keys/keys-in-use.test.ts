import t from 'tap';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { type EnclaveKeys, KeysInUse } from '../../../supervisor/keys/keys-in-use.ts';
import { rejectsCode } from '../../support/coded-error.ts';

const { signal } = new AbortController();

function keys(keystoreFolder: string): EnclaveKeys {
  const masterKey = SecretBuffer.take(Buffer.alloc(32, 1));
  return { masterKey, mockKey: masterKey, keystoreFolder, databaseSecrets: new Map(), keyClients: [] };
}

/** A user of keys, which can be told to refuse some. */
function user(inUse: KeysInUse, refuses: readonly EnclaveKeys[] = []) {
  const seen: EnclaveKeys[] = [];
  const follow = async (next: EnclaveKeys) => {
    seen.push(next);
    if (refuses.includes(next)) throw new Error(`not ${next.keystoreFolder}`);
  };
  return { seen, unsubscribe: inUse.subscribe(follow) };
}

t.test('has every user go over before the new keys are the current ones', async (t) => {
  const [old, next] = [keys('old'), keys('next')];
  const inUse = new KeysInUse(old);
  const gate = Promise.withResolvers<void>();
  const currentMeanwhile: EnclaveKeys[] = [];
  inUse.subscribe(async () => {
    await gate.promise;
    currentMeanwhile.push(inUse.current);
  });
  const second = user(inUse);
  const changed = inUse.change(next, signal);
  gate.resolve();
  await changed;
  t.strictSame(currentMeanwhile, [old]);
  t.strictSame(second.seen, [next]);
  t.equal(inUse.current, next);
});

t.test('takes those back that had gone over when one cannot (KEYS_NOT_EXCHANGED)', async (t) => {
  const [old, next] = [keys('old'), keys('next')];
  const inUse = new KeysInUse(old);
  const first = user(inUse);
  const second = user(inUse, [next]);
  const third = user(inUse);
  await rejectsCode(() => inUse.change(next, signal), SupervisorError, 'KEYS_NOT_EXCHANGED');
  t.equal(inUse.current, old);
  t.strictSame(first.seen, [next, old]);
  t.strictSame(second.seen, [next], 'which has kept the old ones itself');
  t.strictSame(third.seen, []);
});

t.test('says so where one cannot go back either (KEYS_EXCHANGED_IN_PART)', async (t) => {
  const [old, next] = [keys('old'), keys('next')];
  const inUse = new KeysInUse(old);
  user(inUse, [old]);
  user(inUse, [next]);
  await rejectsCode(() => inUse.change(next, signal), SupervisorError, 'KEYS_EXCHANGED_IN_PART');
  t.equal(inUse.current, old);
});

t.test('makes one change after the other, and the next one after one that failed', async (t) => {
  const [old, bad, good] = [keys('old'), keys('bad'), keys('good')];
  const inUse = new KeysInUse(old);
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  inUse.subscribe(async (next) => {
    seen.push(`${next.keystoreFolder} begins`);
    if (next === bad) await gate.promise;
    seen.push(`${next.keystoreFolder} ends`);
    if (next === bad) throw new Error('bad');
  });
  const failing = inUse.change(bad, signal);
  const changing = inUse.change(good, signal);
  gate.resolve();
  await rejectsCode(() => failing, SupervisorError, 'KEYS_NOT_EXCHANGED');
  await changing;
  t.strictSame(seen, ['bad begins', 'bad ends', 'good begins', 'good ends']);
  t.equal(inUse.current, good);
});

t.test('gives up a change that waits for its turn when nobody waits for it, and none behind it', async (t) => {
  const [old, first, second, third] = [keys('old'), keys('first'), keys('second'), keys('third')];
  const inUse = new KeysInUse(old);
  const gate = Promise.withResolvers<void>();
  inUse.subscribe(() => gate.promise);
  const { seen } = user(inUse);
  const waiting = new AbortController();
  const changing = inUse.change(first, signal);
  const givenUp = inUse.change(second, waiting.signal);
  const behind = inUse.change(third, signal);
  const reason = new Error('nobody waits');
  waiting.abort(reason);
  await t.rejects(givenUp, reason);
  gate.resolve();
  await Promise.all([changing, behind]);
  t.strictSame(seen, [first, third]);
});

t.test('takes along whoever subscribes while it changes, and nobody who has ended', async (t) => {
  const [old, next] = [keys('old'), keys('next')];
  const inUse = new KeysInUse(old);
  let late: ReturnType<typeof user> | undefined;
  inUse.subscribe(async () => {
    late ??= user(inUse);
  });
  const ended = user(inUse);
  ended.unsubscribe();
  await inUse.change(next, signal);
  t.strictSame(late?.seen, [next]);
  t.strictSame(ended.seen, []);
});
