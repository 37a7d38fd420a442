import fc from 'fast-check';
import t from 'tap';
import { combineShares, shareDigest, splitSecret } from '../../../keys/keepers/shares.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { bytesOf, secretOf, subsets } from './support/secrets.ts';

const plans = fc
  .tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 0, max: 3 }))
  .map(([k, spare]) => ({ k, n: k + spare }));
const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const runs = { seed: 14, numRuns: 40 };

t.test('any k shares give the secret, in any order', async () => {
  const property = fc.asyncProperty(plans, secrets, async (plan, secret) => {
    const shares = await splitSecret(secretOf(secret), plan);
    for (const some of subsets(shares, plan.k)) {
      const combined = await combineShares(some.toReversed());
      if (!bytesOf(combined).equals(secret)) throw new Error('they gave another secret');
    }
  });
  await fc.assert(property, runs);
});

t.test('k-1 shares leave every value of every byte of the secret equally possible', async (t) => {
  for (const { k, n } of [
    { k: 2, n: 3 },
    { k: 3, n: 5 },
  ]) {
    const shares = await splitSecret(secretOf(Buffer.alloc(32, 7)), { k, n });
    for (const known of subsets(shares, k - 1)) {
      // Whoever has these guesses one more share, all 256 values of one byte: each gives another secret, and none is left out.
      const places = known.map((share) => bytesOf(share).at(-1));
      const place = [1, 2, 3, 4, 5, 6].find((x) => !places.includes(x)) as number;
      const guessed = new Set<number>();
      for (let value = 0; value < 256; value += 1) {
        const guess = Buffer.concat([Buffer.alloc(32, value), Buffer.from([place])]);
        guessed.add(bytesOf(await combineShares([...known, secretOf(guess)]))[0] as number);
      }
      t.equal(guessed.size, 256, `${k - 1} of ${n}`);
    }
  }
});

t.test('k-1 shares combine to something else than the secret', async () => {
  const property = fc.asyncProperty(plans, secrets, async ({ k, n }, secret) => {
    const shares = await splitSecret(secretOf(secret), { k: k + 1, n: n + 1 });
    for (const some of subsets(shares, k)) {
      if (bytesOf(await combineShares(some)).equals(secret)) throw new Error('too few were enough');
    }
  });
  await fc.assert(property, runs);
});

t.test('shares of two splits of one secret do not combine', async (t) => {
  const secret = Buffer.alloc(32, 9);
  const [old, next] = await Promise.all([0, 1].map(() => splitSecret(secretOf(secret), { k: 2, n: 3 })));
  for (const one of old ?? []) {
    for (const other of next ?? []) {
      const combined = await combineShares([one, other]).then(bytesOf, () => undefined);
      t.notSame(combined, secret);
    }
  }
});

t.test('the hash of a share changes with any of its bits', async (t) => {
  const [share] = await splitSecret(secretOf(Buffer.alloc(32, 3)), { k: 2, n: 2 });
  const bytes = bytesOf(share as SecretBuffer);
  const hash = shareDigest(share as SecretBuffer);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    if (shareDigest(secretOf(changed)) === hash) t.fail(`bit ${bit}`);
  }
  t.match(hash, /^[0-9a-f]{64}$/);
});

t.test('the same share twice is refused by the library, and counts for nothing', async (t) => {
  const [share] = await splitSecret(secretOf(Buffer.alloc(32, 3)), { k: 2, n: 2 });
  await t.rejects(combineShares([share, share] as SecretBuffer[]), { message: /duplicate/ });
});
