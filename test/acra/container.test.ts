import fc from 'fast-check';
import t from 'tap';
import {
  encodeAcraBlock,
  encodeContainer,
  findContainers,
  openAcraBlock,
  SEARCH_HASH_BYTES,
  searchHash,
} from '../../acra/container.ts';
import { AcraError } from '../../acra/errors.ts';
import { loadThemis } from '../../acra/keystore/themis.ts';
import { throwsCode } from '../support/coded-error.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { atRest, masterKeyBytes, masterKeyWithFlippedBit } from './support/at-rest.ts';

const themis = await loadThemis();
const sealed = (path: string) => Buffer.from(atRest.keystore[path]!.base64, 'base64');
const open = (path: string) => themis.open(masterKeyBytes(), sealed(path), atRest.clientId)!;
const storageKey = open(`${atRest.clientId}_storage_sym`);
const hmacKey = open(`${atRest.clientId}_hmac`);

function readValue(stored: Buffer): Buffer {
  const [container] = findContainers(stored);
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
    t.same(findContainers(stored[0]!)[0]!.searchHash, searchHash(hmacKey, wanted[0]!), 'the searchable prefix');
    t.equal(findContainers(stored[1]!)[0]!.searchHash, undefined, 'no prefix on a column that is not searchable');
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

t.test('finds what it wrote inside any other bytes, and reads it back', async () => {
  const value = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const around = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
  const random = seededRandom('embedded');
  fc.assert(
    fc.property(value, around, around, (plaintext, before, after) => {
      const container = encodeContainer('acrablock', encodeAcraBlock(themis, storageKey, plaintext, random));
      const found = findContainers(Buffer.concat([before, container, after])).find(
        ({ start }) => start === before.length,
      );
      t.equal(found?.end, before.length + container.length);
      t.same(openAcraBlock(themis, [storageKey], found!.body), plaintext);
    }),
    { numRuns: 50, seed: 1 },
  );
});

t.test('finds several containers, and passes over what only begins like one', async (t) => {
  const container = encodeContainer('acrastruct', Buffer.from('body'));
  const tooLong = Buffer.from(container);
  tooLong.writeUInt8(200, 3);
  const found = findContainers(Buffer.concat([Buffer.from('%%%%%'), tooLong, container, Buffer.from('%'), container]));
  t.same(
    found.map(({ envelope, body }) => [envelope, body.toString()]),
    [
      ['acrastruct', 'body'],
      ['acrastruct', 'body'],
    ],
  );
});

t.test('keeps the searchable prefix apart from a container that stands before it', async (t) => {
  const container = encodeContainer('acrablock', Buffer.alloc(SEARCH_HASH_BYTES, 0x7f));
  const [, second] = findContainers(Buffer.concat([container, container]));
  t.equal(second?.searchHash, undefined);
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
