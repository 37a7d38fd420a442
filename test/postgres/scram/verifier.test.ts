/** Verifiers as PostgreSQL stores them: what is read, what is refused, and that one of ours is one. */
import t from 'tap';
import { deriveKeys } from '../../../postgres/scram/keys.ts';
import type { ScramVerifier } from '../../../postgres/scram/verifier.ts';
import { makeVerifier, parseVerifier } from '../../../postgres/scram/verifier.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const SALT = 'W22ZaJ0SNY7soEsUEjb6gQ==';
const STORED = 'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=';
const SERVER = 'wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=';
/** Of the password `pencil`, with the salt of RFC 7677's example; the keys were computed by Python's hashlib. */
const VERIFIER = `SCRAM-SHA-256$4096:${SALT}$${STORED}:${SERVER}`;

const bytesOf = (secret: SecretBuffer) => secret.use((bytes) => bytes.toString('base64'));

function read(text: string): ScramVerifier {
  const reading = parseVerifier(Buffer.from(text, 'latin1'));
  if (reading.kind === 'refused') throw new Error(reading.reason);
  return reading.verifier;
}

t.test("reads the verifier of RFC 7677's example", async (t) => {
  const { iterations, salt, storedKey, serverKey } = read(VERIFIER);
  t.equal(iterations, 4096);
  t.equal(salt.toString('base64'), SALT);
  t.equal(bytesOf(storedKey), STORED);
  t.equal(bytesOf(serverKey), SERVER);
  const keys = await deriveKeys(SecretBuffer.take(Buffer.from('pencil')), salt, iterations);
  t.equal(keys.storedKey.toString('base64'), STORED);
  t.equal(keys.serverKey.toString('base64'), SERVER);
});

t.test('makes what it reads, with a salt of its own', async (t) => {
  const password = SecretBuffer.take(Buffer.from('p\u00e4ssword'));
  const text = (await makeVerifier(password, seededRandom('verifier'), 5000)).toString();
  t.match(text, /^SCRAM-SHA-256\$5000:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/);
  const { salt, iterations, storedKey } = read(text);
  t.ok(salt.equals(seededRandom('verifier').bytes(16)));
  const keys = await deriveKeys(password, salt, iterations);
  t.equal(bytesOf(storedKey), keys.storedKey.toString('base64'));
});

const REFUSED: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
  ['nothing', '', /form/],
  ['a password', 'pencil', /form/],
  ['an MD5 hash', `md5${'0'.repeat(32)}`, /form/],
  ['another mechanism', VERIFIER.replace('256', '1'), /form/],
  ['small letters', VERIFIER.toLowerCase(), /form/],
  ['a missing key', VERIFIER.slice(0, VERIFIER.lastIndexOf(':')), /form/],
  ['more than 2048 bytes', VERIFIER.padEnd(2049, ' '), /form/],
  ['too few iterations', VERIFIER.replace('4096', '4095'), /iterations/],
  ['too many iterations', VERIFIER.replace('4096', '100001'), /iterations/],
  ['iterations in hexadecimal', VERIFIER.replace('4096', '0x1000'), /iterations/],
  ['iterations with a leading zero', VERIFIER.replace('4096', '04096'), /iterations/],
  ['no salt', VERIFIER.replace(SALT, ''), /salt/],
  ['a salt that is not Base64', VERIFIER.replace(SALT, '***='), /salt/],
  ['a salt of 1025 bytes', VERIFIER.replace(SALT, Buffer.alloc(1025).toString('base64')), /salt/],
  ['a short StoredKey', VERIFIER.replace(STORED, 'AAAA'), /keys/],
  ['a short ServerKey', VERIFIER.replace(SERVER, 'AAAA'), /keys/],
  ['a key that is not Base64', VERIFIER.replace(STORED, STORED.replace('W', '*')), /keys/],
  ['a line end', `${VERIFIER}\n`, /keys/],
  ['a third key', `${VERIFIER}:${SERVER}`, /keys/],
];
for (const [what, text, reason] of REFUSED) {
  t.test(`rejects ${what}, and tells nothing of it`, async (t) => {
    const reading = parseVerifier(Buffer.from(text, 'latin1'));
    if (reading.kind !== 'refused') throw new Error('it was taken');
    t.match(reading.reason, reason);
    for (const secret of [STORED, SERVER, SALT, 'pencil']) t.notOk(reading.reason.includes(secret));
  });
}
