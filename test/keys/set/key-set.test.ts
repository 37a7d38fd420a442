/** Key sets as bytes: one form each, named by its hash, and nothing in one that could be exchanged. Single changes by name: vectors.test.ts. */
import fc from 'fast-check';
import t from 'tap';
import { KeyError } from '../../../keys/errors.ts';
import { decodeKeySet, encodeKeySet, type KeySet, keySetDigest, MAX_KEY_SET_BYTES } from '../../../keys/set/key-set.ts';
import { openMasterKey, sealMasterKey } from '../../../keys/set/master-key.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { bytesOf, secretOf } from '../keepers/support/secrets.ts';
import { makeSet } from '../vectors/parts.ts';

const SEED = 20_261_130;
const { encoding, set, dataKey, masterKey } = makeSet(3, 'ab'.repeat(32));

const base64 = (maxLength: number, minLength = 0) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes).toString('base64'));
/** What canonical JSON writes: Unicode without DEL. */
const text = (maxLength: number) =>
  fc
    .string({ unit: 'grapheme', maxLength })
    .filter((each) => each.isWellFormed() && !each.includes('\x7f') && each.length <= maxLength);
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const keyId = fc.integer({ min: 0, max: 0xffff }).map((id) => id.toString(16).padStart(4, '0'));
const name = fc.string({ unit: fc.constantFrom(...'abcXYZ_-0'), minLength: 1, maxLength: 12 });

/** Everything that a set may be. */
const anySet: fc.Arbitrary<KeySet> = fc
  .record({
    version: fc.constant(1 as const),
    name: text(63),
    generation: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    previous: fc.option(digest),
    keeper: fc.record({
      kind: fc.constant('kms' as const),
      keyArn: text(200),
      encryptionContext: fc.dictionary(name, text(40), { maxKeys: 4 }),
      dataKey: base64(300),
    }),
    masterKey: base64(60),
    keystore: fc.uniqueArray(fc.record({ path: text(80), content: base64(120) }), {
      minLength: 1,
      maxLength: 6,
      selector: ({ path }) => path,
    }),
    secrets: fc.uniqueArray(
      fc.record({
        user: text(40),
        slot: fc.constantFrom('secret' as const, 'nextSecret' as const),
        sealed: base64(80),
        verifier: fc.option(text(60)),
      }),
      { maxLength: 5, selector: ({ user, slot }) => `${user}\0${slot}` },
    ),
    keyIds: fc.uniqueArray(
      fc.record({
        clientId: text(130),
        current: keyId,
        old: fc.uniqueArray(keyId, { maxLength: 3 }).map((ids) => ids.toSorted()),
      }),
      { maxLength: 4, selector: ({ clientId }) => clientId },
    ),
  })
  .map((each) => ({
    ...each,
    keystore: each.keystore.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    secrets: each.secrets.toSorted((a, b) => (`${a.user}\0${a.slot}` < `${b.user}\0${b.slot}` ? -1 : 1)),
    keyIds: each.keyIds.toSorted((a, b) => (a.clientId < b.clientId ? -1 : 1)),
  }));

t.test('keeps every set through its bytes, and its hash with it', async () => {
  const keeps = fc.property(anySet, (each) => {
    const bytes = encodeKeySet(each);
    const read = decodeKeySet(bytes);
    return encodeKeySet(read).equals(bytes) && keySetDigest(bytes) === keySetDigest(encodeKeySet(read));
  });
  fc.assert(keeps, { numRuns: 150, seed: SEED });
});

/** Bytes with one of them changed, put in or taken out. */
const edited = fc
  .tuple(fc.nat(), fc.constantFrom('change', 'insert', 'remove'), fc.integer({ min: 1, max: 255 }))
  .map(([position, edit, by]) => {
    const at = position % encoding.length;
    if (edit === 'remove') return Buffer.concat([encoding.subarray(0, at), encoding.subarray(at + 1)]);
    if (edit === 'insert') return Buffer.concat([encoding.subarray(0, at), Buffer.from([by]), encoding.subarray(at)]);
    const changed = Buffer.from(encoding);
    changed[at] = (changed[at] ?? 0) ^ by;
    return changed;
  });

function codeOf(read: () => unknown): string {
  try {
    read();
    return 'none';
  } catch (error) {
    if (error instanceof KeyError) return error.code;
    throw error;
  }
}

t.test(
  'rejects every changed byte: what is still a set has another hash, and its master key does not open',
  async (t) => {
    const seen = new Map<string, number>();
    const rejects = fc.property(edited, (bytes) => {
      if (bytes.equals(encoding)) return true;
      const code = codeOf(() => {
        const read = decodeKeySet(bytes);
        if (keySetDigest(bytes) === keySetDigest(encoding)) throw new Error('the same hash');
        using key = secretOf(dataKey);
        openMasterKey(read, key).dispose();
      });
      seen.set(code, (seen.get(code) ?? 0) + 1);
      return code === 'KEY_SET_INVALID' || code === 'KEY_SET_UNSEALABLE';
    });
    fc.assert(rejects, { numRuns: 1_000, seed: SEED });
    t.ok(
      (seen.get('KEY_SET_INVALID') ?? 0) > 50 && (seen.get('KEY_SET_UNSEALABLE') ?? 0) > 50,
      JSON.stringify([...seen]),
    );
  },
);

t.test('opens the master key with the data key of the set, and with no other (KEY_SET_UNSEALABLE)', async (t) => {
  using key = secretOf(dataKey);
  using opened = openMasterKey(set, key);
  t.same(bytesOf(opened), masterKey);
  for (let bit = 0; bit < 256; bit += 1) {
    const bytes = Buffer.from(dataKey);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    using other = secretOf(bytes);
    throwsCode(() => openMasterKey(set, other), KeyError, 'KEY_SET_UNSEALABLE');
  }
});

t.test(
  'binds the master key to every member: one that is replaced alone does not open (KEY_SET_UNSEALABLE)',
  async (t) => {
    const other = makeSet(9, 'cd'.repeat(32)).set;
    using key = secretOf(dataKey);
    for (const member of Object.keys(set) as (keyof KeySet)[]) {
      if (member === 'version') continue;
      if (JSON.stringify(set[member]) === JSON.stringify(other[member])) continue;
      throwsCode(() => openMasterKey({ ...set, [member]: other[member] }, key), KeyError, 'KEY_SET_UNSEALABLE');
      t.pass(member);
    }
    throwsCode(() => openMasterKey({ ...set, secrets: [] }, key), KeyError, 'KEY_SET_UNSEALABLE');
  },
);

t.test('seals with another nonce each time', async (t) => {
  const random = seededRandom('nonces');
  const { masterKey: _, ...rest } = set;
  const seal = () =>
    sealMasterKey(rest, { masterKey: secretOf(masterKey), dataKey: secretOf(dataKey), random }).masterKey;
  t.not(seal(), seal());
});

const withFiles = (count: number, bytes: number): KeySet => ({
  ...set,
  keystore: Array.from({ length: count }, (_, index) => ({
    path: `client_${String(index).padStart(6, '0')}`,
    content: Buffer.alloc(bytes, index % 251).toString('base64'),
  })),
});

t.test(
  'keeps a set of thousands of files, and rejects one that is larger than its bound (KEY_SET_INVALID)',
  async (t) => {
    const large = encodeKeySet(withFiles(15_000, 90));
    t.ok(large.length < MAX_KEY_SET_BYTES);
    t.equal(decodeKeySet(large).keystore.length, 15_000);
    throwsCode(() => encodeKeySet(withFiles(15_000, 150)), KeyError, 'KEY_SET_INVALID');
    throwsCode(() => decodeKeySet(Buffer.alloc(MAX_KEY_SET_BYTES + 1, ' ')), KeyError, 'KEY_SET_INVALID');
    throwsCode(() => decodeKeySet(Buffer.from(JSON.stringify(withFiles(20_001, 1)))), KeyError, 'KEY_SET_INVALID');
    throwsCode(() => decodeKeySet(Buffer.from(JSON.stringify(withFiles(1, 70_000)))), KeyError, 'KEY_SET_INVALID');
  },
);
