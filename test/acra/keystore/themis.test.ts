/** Ours and Themis itself are held to the same, and to each other in both directions. */
import fc from 'fast-check';
import t from 'tap';
import { KeystoreError } from '../../../acra/errors.ts';
import { themis } from '../../../acra/keystore/themis.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { referenceThemis } from '../support/reference-themis.ts';

const IMPLEMENTATIONS = { ours: themis, Themis: referenceThemis };
const HEADER_FIELDS = { algorithm: 0, 'length of the nonce': 4, 'length of the tag': 8, 'length of the message': 12 };
const key = Buffer.alloc(32, 7);
const secret = Buffer.from('secret');
const context = 'context';

function changed(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = change(copy[at] ?? 0);
  return copy;
}

for (const [sealedBy, sealing] of Object.entries(IMPLEMENTATIONS)) {
  const sealed = sealing.seal(key, secret, context);
  for (const [openedBy, opening] of Object.entries(IMPLEMENTATIONS)) {
    const name = `sealed by ${sealedBy}, opened by ${openedBy}`;

    t.test(`${name}: opens under its key and context, and no other`, async (t) => {
      t.same(opening.open(key, sealed, context), secret);
      t.equal(opening.open(key, sealed, 'contexu'), undefined);
      t.equal(opening.open(key, sealed, ''), undefined);
      t.equal(
        opening.open(
          changed(key, 31, (byte) => byte ^ 1),
          sealed,
          context,
        ),
        undefined,
      );
      t.equal(opening.open(key.subarray(0, 31), sealed, context), undefined);
      const withoutContext = sealing.seal(key, secret, '');
      t.same(opening.open(key, withoutContext, ''), secret);
      t.equal(opening.open(key, withoutContext, context), undefined);
    });

    t.test(`${name}: rejects a change of any byte`, async (t) => {
      for (const at of sealed.keys()) {
        for (const bit of [1, 0x80])
          t.equal(
            opening.open(
              key,
              changed(sealed, at, (byte) => byte ^ bit),
              context,
            ),
            undefined,
            `byte ${at}`,
          );
      }
    });

    for (const [field, at] of Object.entries(HEADER_FIELDS)) {
      t.test(`${name}: rejects another ${field}`, async (t) => {
        for (const value of [
          0,
          1,
          0x4001_0080,
          0x4001_00c0,
          0x7fff_ffff,
          0xffff_ffff,
          sealed.readUInt32LE(at) + 1,
          sealed.readUInt32LE(at) - 1,
        ]) {
          const other = Buffer.from(sealed);
          other.writeUInt32LE(value, at);
          t.equal(opening.open(key, other, context), undefined, `${value}`);
        }
      });
    }

    t.test(`${name}: rejects what is cut off anywhere, or goes on`, async (t) => {
      for (let length = 0; length < sealed.length; length += 1)
        t.equal(opening.open(key, sealed.subarray(0, length), context), undefined, `${length} bytes`);
      t.equal(opening.open(key, Buffer.concat([sealed, Buffer.alloc(1)]), context), undefined);
    });

    t.test(`${name}: keeps any key, message and context`, async (t) => {
      const bytes = (minLength: number, maxLength: number) =>
        fc.uint8Array({ minLength, maxLength }).map((each) => Buffer.from(each));
      fc.assert(
        fc.property(
          bytes(1, 80),
          bytes(1, 5_000),
          fc.string({ unit: 'binary', maxLength: 300 }),
          (anyKey, message, anyContext) => {
            const opened = opening.open(anyKey, sealing.seal(anyKey, message, anyContext), anyContext);
            t.ok(opened?.equals(message));
          },
        ),
        { numRuns: 50 },
      );
    });
  }
}

t.test('seals the same never twice alike', async (t) => {
  t.notSame(themis.seal(key, secret, context), themis.seal(key, secret, context));
});

t.test('rejects an empty plaintext (KEYSTORE_NOTHING_TO_SEAL)', async (t) => {
  throwsCode(() => themis.seal(key, Buffer.alloc(0), ''), KeystoreError, 'KEYSTORE_NOTHING_TO_SEAL');
  t.throws(() => referenceThemis.seal(key, Buffer.alloc(0), ''), /refused/);
});

for (const [madeBy, making] of Object.entries(IMPLEMENTATIONS)) {
  for (const [judgedBy, judging] of Object.entries(IMPLEMENTATIONS)) {
    const name = `key pairs of ${madeBy}, judged by ${judgedBy}`;

    t.test(`${name}: tells a pair from two strangers`, async (t) => {
      for (let round = 0; round < 20; round += 1) {
        const [one, other] = [making.newKeyPair(), making.newKeyPair()];
        t.same([one.privateKey.length, one.publicKey.length], [45, 45]);
        t.equal(judging.isKeyPair(one.privateKey, one.publicKey), true);
        t.equal(judging.isKeyPair(one.privateKey, other.publicKey), false);
      }
    });

    t.test(`${name}: rejects a change of any byte, and halves in each other’s place`, async (t) => {
      const { privateKey, publicKey } = making.newKeyPair();
      for (let at = 0; at < 45; at += 1) {
        t.equal(
          judging.isKeyPair(
            changed(privateKey, at, (byte) => byte ^ 1),
            publicKey,
          ),
          false,
          `private, byte ${at}`,
        );
        t.equal(
          judging.isKeyPair(
            privateKey,
            changed(publicKey, at, (byte) => byte ^ 1),
          ),
          false,
          `public, byte ${at}`,
        );
      }
      t.equal(judging.isKeyPair(publicKey, privateKey), false);
      t.equal(judging.isKeyPair(privateKey, Buffer.alloc(45)), false);
      t.equal(judging.isKeyPair(privateKey.subarray(0, 44), publicKey), false);
    });
  }
}
