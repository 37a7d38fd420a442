import fc from 'fast-check';
import t from 'tap';
import {
  acraBlockLength,
  blockFacts,
  containerAt,
  encodeAcraBlock,
  encodeContainer,
  isAcraStruct,
  isContainerHeader,
  keyId,
  MAX_FACTS_BYTES,
  openAcraBlock,
  searchHash,
  searchHashAt,
} from '../../acra/container.ts';
import { AcraError } from '../../acra/errors.ts';
import { themis } from '../../acra/keystore/themis.ts';
import { throwsCode } from '../support/coded-error.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { atRest, masterKeyBytes, masterKeyWithFlippedBit } from './support/at-rest.ts';

const sealed = (path: string) => Buffer.from(atRest.keystore[path]!.base64, 'base64');
const open = (path: string) => themis.open(masterKeyBytes(), sealed(path), atRest.clientId)!;
const storageKey = open(`${atRest.clientId}_storage_sym`);
const hmacKey = open(`${atRest.clientId}_hmac`);

function readValue(stored: Buffer): Buffer {
  const container = containerAt(stored.subarray(searchHashAt(stored)?.length ?? 0));
  return openAcraBlock(themis, [storageKey], container!.body);
}

t.test('reads every value that acra-server wrote', async (t) => {
  for (const { plaintext, storedBase64 } of atRest.rows) {
    const wanted = [
      Buffer.from(plaintext.email),
      Buffer.from(plaintext.secret),
      Buffer.from(plaintext.blobBase64, 'base64'),
    ];
    const stored = [storedBase64.email, storedBase64.secret, storedBase64.blob].map((text) =>
      Buffer.from(text, 'base64'),
    );
    t.same(stored.map(readValue), wanted);
    t.same(searchHashAt(stored[0]!), searchHash(hmacKey, wanted[0]!), 'the searchable prefix');
    t.equal(searchHashAt(stored[1]!), undefined, 'no prefix on a column that is not searchable');
  }
});

t.test('reads none of them when one bit of the master key is flipped', async (t) => {
  for (const bit of [0, 7, 128, 255]) {
    const key = masterKeyWithFlippedBit(bit);
    for (const [path, { base64 }] of Object.entries(atRest.keystore)) {
      if (path.endsWith('.pub')) continue;
      const context = path.startsWith(atRest.clientId) ? atRest.clientId : path;
      t.equal(
        key.use((bytes) => themis.open(bytes, Buffer.from(base64, 'base64'), context)),
        undefined,
        path,
      );
    }
  }
});

t.test('gives a container that begins as the contract says', async (t) => {
  const random = seededRandom('container');
  const bytes = encodeContainer('acrablock', encodeAcraBlock(themis, storageKey, Buffer.from('lit secret'), random));
  t.match(
    bytes.toString('hex'),
    /^252525a000000000000000f02222222290000000000000000068e6004c00000101400c00000010000000/,
  );
  t.equal(bytes.length, 0xa0);
});

t.test('reads what it wrote, with any bytes behind it', async () => {
  const value = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const behind = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
  const random = seededRandom('embedded');
  fc.assert(
    fc.property(value, behind, (plaintext, after) => {
      const container = encodeContainer('acrablock', encodeAcraBlock(themis, storageKey, plaintext, random));
      const found = containerAt(Buffer.concat([container, after]));
      t.equal(found?.end, container.length);
      t.equal(acraBlockLength(Buffer.concat([found?.body ?? after, after])), found?.body.length);
      t.same(openAcraBlock(themis, [storageKey], found!.body), plaintext);
    }),
    { numRuns: 50, seed: 1 },
  );
});

t.test('passes over what only begins like a container', async (t) => {
  const container = encodeContainer('acrastruct', Buffer.from('body'));
  const withLength = (length: bigint) => {
    const copy = Buffer.from(container);
    copy.writeBigUInt64LE(length, 3);
    return copy;
  };
  t.match(containerAt(container), { envelope: 'acrastruct', end: container.length });
  for (const length of [0n, 11n, BigInt(container.length + 1), 2n ** 64n - 1n]) {
    t.equal(containerAt(withLength(length)), undefined, String(length));
    t.ok(isContainerHeader(withLength(length)), 'which acra-server takes for a container all the same');
  }
  for (const bytes of [Buffer.alloc(0), Buffer.from('%%%%%'), container.subarray(0, 12), Buffer.alloc(40, '%')]) {
    t.notOk(isContainerHeader(bytes));
    t.equal(containerAt(bytes), undefined);
  }
});

t.test('takes no AcraBlock for longer or shorter than it is', async (t) => {
  const block = encodeAcraBlock(themis, storageKey, Buffer.from('value'), seededRandom('length'));
  t.equal(acraBlockLength(block), block.length);
  for (let length = 0; length < block.length; length++) t.equal(acraBlockLength(block.subarray(0, length)), undefined);
  const endless = Buffer.from(block);
  endless.writeBigUInt64LE(2n ** 64n - 2n, 4);
  t.equal(acraBlockLength(endless), undefined);
});

t.test('knows an AcraStruct by tag and length', async (t) => {
  const header = Buffer.concat([Buffer.alloc(8, 0x22), Buffer.alloc(129), Buffer.from('0400000000000000', 'hex')]);
  t.ok(isAcraStruct(Buffer.concat([header, Buffer.from('data')])));
  t.notOk(isAcraStruct(Buffer.concat([header, Buffer.from('dat')])));
  t.notOk(isAcraStruct(header.subarray(1)));
});

t.test('knows bytes that have the form of a search hash', async (t) => {
  const hash = searchHash(storageKey, Buffer.from('value'));
  t.same(searchHashAt(Buffer.concat([hash, Buffer.from('more')])), hash);
  t.equal(searchHashAt(hash.subarray(0, -1)), undefined);
  t.equal(searchHashAt(Buffer.alloc(40)), undefined);
});

t.test('takes the rotated key when the current one does not fit', async (t) => {
  const old = encodeAcraBlock(themis, storageKey, Buffer.from('old'), seededRandom('rotated'));
  t.same(openAcraBlock(themis, [Buffer.alloc(32, 1), storageKey], old), Buffer.from('old'));
});

t.test('rejects an AcraBlock with any byte changed (ACRA_CONTAINER_INVALID)', async () => {
  const block = encodeAcraBlock(themis, storageKey, Buffer.from('value'), seededRandom('mutation'));
  for (let at = 0; at < block.length; at++) {
    const changed = Buffer.from(block);
    changed[at]! ^= 1;
    throwsCode(() => openAcraBlock(themis, [storageKey], changed), AcraError, 'ACRA_CONTAINER_INVALID');
  }
});

t.test('rejects an AcraBlock cut off anywhere, and another client’s (ACRA_CONTAINER_INVALID)', async () => {
  const block = encodeAcraBlock(themis, storageKey, Buffer.from('value'), seededRandom('truncation'));
  for (let length = 0; length < block.length; length++) {
    throwsCode(
      () => openAcraBlock(themis, [storageKey], block.subarray(0, length)),
      AcraError,
      'ACRA_CONTAINER_INVALID',
    );
  }
  throwsCode(() => openAcraBlock(themis, [Buffer.alloc(32, 9)], block), AcraError, 'ACRA_CONTAINER_INVALID');
});

t.test('rejects an empty value (ACRA_CONTAINER_INVALID)', async () => {
  const encode = () => encodeAcraBlock(themis, storageKey, Buffer.alloc(0), seededRandom('empty'));
  throwsCode(encode, AcraError, 'ACRA_CONTAINER_INVALID');
});

t.test('tells by the head of a value under which key it is, and how long what it holds', async (t) => {
  for (const { plaintext, storedBase64 } of atRest.rows) {
    const stored = Buffer.from(storedBase64.secret, 'base64');
    const facts = { keyId: keyId(storageKey).toString('hex'), plaintextBytes: Buffer.byteLength(plaintext.secret) };
    t.same(blockFacts(stored), facts, 'that acra-server wrote');
    t.same(blockFacts(stored.subarray(0, MAX_FACTS_BYTES)), facts, 'of its head');
    t.same(blockFacts(containerAt(stored)?.body ?? stored), facts, 'of a bare block');
    t.same(blockFacts(stored.subarray(0, MAX_FACTS_BYTES - 1)), undefined, 'that is cut off');
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => blockFacts(Buffer.from(bytes)) === undefined));
});
