/** The messages of a login as PostgreSQL's manual lays them out, byte by byte, and what is refused in their place. */
import t from 'tap';
import {
  AUTHENTICATION_OK,
  decodeAuthentication,
  decodeInitialResponse,
  decodeResponse,
  encodeAuthenticationSasl,
  encodeInitialResponse,
  encodeResponse,
  encodeSaslContinue,
  encodeSaslFinal,
} from '../../../postgres/scram/sasl-messages.ts';
import { rejectsLogin } from './support/refusals.ts';

const DATA = Buffer.from('data');
const body = (message: Buffer) => message.subarray(5);

t.test('writes each message as the manual lays it out', async (t) => {
  t.equal(AUTHENTICATION_OK.toString('latin1'), 'R\0\0\0\x08\0\0\0\0');
  t.equal(encodeAuthenticationSasl(['A', 'B-2']).toString('latin1'), 'R\0\0\0\x0f\0\0\0\x0aA\0B-2\0\0');
  t.equal(encodeSaslContinue(DATA).toString('latin1'), 'R\0\0\0\x0c\0\0\0\x0bdata');
  t.equal(encodeSaslFinal(DATA).toString('latin1'), 'R\0\0\0\x0c\0\0\0\x0cdata');
  t.equal(encodeInitialResponse('A', DATA).toString('latin1'), 'p\0\0\0\x0eA\0\0\0\0\x04data');
  t.equal(encodeResponse(DATA).toString('latin1'), 'p\0\0\0\x08data');
});

t.test('reads what it wrote', async (t) => {
  t.same(decodeAuthentication(body(AUTHENTICATION_OK)), { kind: 'ok' });
  for (const mechanisms of [[], ['SCRAM-SHA-256'], ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']]) {
    t.same(decodeAuthentication(body(encodeAuthenticationSasl(mechanisms))), { kind: 'sasl', mechanisms });
  }
  t.same(decodeAuthentication(body(encodeSaslContinue(DATA))), { kind: 'sasl-continue', data: DATA });
  t.same(decodeAuthentication(body(encodeSaslFinal(DATA))), { kind: 'sasl-final', data: DATA });
  t.same(decodeInitialResponse(body(encodeInitialResponse('SCRAM-SHA-256', DATA))), {
    mechanism: 'SCRAM-SHA-256',
    data: DATA,
  });
  t.same(decodeResponse(body(encodeResponse(DATA))), DATA);
});

t.test('names what asks for a password in another way', async (t) => {
  t.same(decodeAuthentication(Buffer.of(0, 0, 0, 3)), { kind: 'cleartext' });
  for (const code of [5, 7, 9, -1]) {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32BE(code);
    t.same(decodeAuthentication(bytes), { kind: 'other', code });
  }
});

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const REFUSED: readonly (readonly [what: string, decode: (bytes: Buffer) => unknown, bytes: Buffer])[] = [
  ['an empty authentication message', decodeAuthentication, latin1('')],
  ['half a code', decodeAuthentication, latin1('\0\0')],
  ['AuthenticationOk with more behind it', decodeAuthentication, latin1('\0\0\0\0x')],
  ['mechanisms without an end', decodeAuthentication, latin1('\0\0\0\x0aSCRAM')],
  ['mechanisms with half an end', decodeAuthentication, latin1('\0\0\0\x0aSCRAM\0')],
  ['no list of mechanisms', decodeAuthentication, latin1('\0\0\0\x0a')],
  ['an empty mechanism', decodeAuthentication, latin1('\0\0\0\x0aA\0\0B\0\0')],
  ['a mechanism in small letters', decodeAuthentication, latin1('\0\0\0\x0ascram\0\0')],
  ['a mechanism of 21 characters', decodeAuthentication, latin1(`\0\0\0\x0a${'A'.repeat(21)}\0\0`)],
  ['17 mechanisms', decodeAuthentication, latin1(`\0\0\0\x0a${'A\0'.repeat(17)}\0`)],
  ['an empty challenge', decodeAuthentication, latin1('\0\0\0\x0b')],
  ['a challenge of 4097 bytes', decodeAuthentication, latin1(`\0\0\0\x0b${'x'.repeat(4097)}`)],
  ['a challenge with a zero byte', decodeAuthentication, latin1('\0\0\0\x0cv=\0')],
  ['an empty initial response message', decodeInitialResponse, latin1('')],
  ['a password in place of an initial response', decodeInitialResponse, latin1('pencil\0')],
  ['a mechanism without an end', decodeInitialResponse, latin1('SCRAM')],
  ['half a length', decodeInitialResponse, latin1('A\0\0\0')],
  ['no initial response', decodeInitialResponse, latin1('A\0\xff\xff\xff\xff')],
  ['an initial response of no bytes', decodeInitialResponse, latin1('A\0\0\0\0\0')],
  ['an initial response that is shorter than it says', decodeInitialResponse, latin1('A\0\0\0\0\x05data')],
  ['an initial response that is longer than it says', decodeInitialResponse, latin1('A\0\0\0\0\x03data')],
  ['an initial response of negative length', decodeInitialResponse, latin1('A\0\xff\xff\xff\xfedata')],
  ['an empty response', decodeResponse, latin1('')],
  ['a response of 4097 bytes', decodeResponse, latin1('x'.repeat(4097))],
  ['a response with a zero byte', decodeResponse, latin1('pencil\0')],
];
for (const [what, decode, bytes] of REFUSED) {
  t.test(`rejects ${what} (08P01)`, async () => {
    await rejectsLogin(() => decode(bytes), '08P01');
  });
}

t.test('refuses to offer or to choose what is not the name of a mechanism', async () => {
  await rejectsLogin(() => encodeAuthenticationSasl(['a\0']), '08P01');
  await rejectsLogin(() => encodeInitialResponse('', DATA), '08P01');
});
