/** Which protocols a ClientHello names: those of true ones in every form that a stream may give them, and of nothing else. */
import t from 'tap';
import { MAX_HELLO_BYTES, namesOnly, readClientHello } from '../../../sessions/front/client-hello.ts';
import { ATTESTATION_ALPN } from '../../../wire/requests/bounds.ts';
import { longClientHello, wholeClientHello } from '../../abuse/support/client-hello.ts';
import { alpn, clientHello, extension, records } from './support/client-hellos.ts';

const HELLO = await wholeClientHello({ ALPNProtocols: [ATTESTATION_ALPN] });
const body = (hello: Buffer) => hello.subarray(5);

t.test('reads what OpenSSL says, of TLS 1.2 and 1.3, and how long it is', async (t) => {
  for (const [ALPNProtocols, maxVersion] of [
    [[ATTESTATION_ALPN], 'TLSv1.3'],
    [['postgresql', ATTESTATION_ALPN], 'TLSv1.3'],
    [['postgresql'], 'TLSv1.2'],
    [[], 'TLSv1.3'],
  ] as const) {
    const hello = await wholeClientHello({ ALPNProtocols: [...ALPNProtocols], maxVersion });
    const told = { kind: 'hello', protocols: ALPNProtocols, helloBytes: hello.length };
    t.same(readClientHello(hello), told);
    t.same(readClientHello(Buffer.concat([hello, Buffer.from('what follows')])), told);
  }
});

t.test('wants more for as long as one can be there, byte by byte', async (t) => {
  const kinds = Array.from(HELLO, (_, length) => readClientHello(HELLO.subarray(0, length)).kind);
  t.same(new Set(kinds), new Set(['more']));
});

t.test('puts one together from records of any size', async (t) => {
  for (const size of [1, 2, 3, 4, 5, 100, body(HELLO).length - 1]) {
    const split = records(body(HELLO), size);
    if (split.length > MAX_HELLO_BYTES) t.equal(readClientHello(split).kind, 'unreadable', 'it takes too many bytes');
    else t.same(readClientHello(split), { kind: 'hello', protocols: [ATTESTATION_ALPN], helloBytes: split.length });
  }
});

t.test('skips what it does not know: GREASE among ciphers, extensions and protocols (RFC 8701)', async (t) => {
  const grease = extension(0x0a0a, Buffer.of(0));
  const hello = records(clientHello([grease, alpn(ATTESTATION_ALPN), extension(0xfafa, Buffer.alloc(0))]));
  t.same(readClientHello(hello), { kind: 'hello', protocols: [ATTESTATION_ALPN], helloBytes: hello.length });
  const greased = readClientHello(records(clientHello([alpn('\x0a\x0a', ATTESTATION_ALPN)])));
  t.match(greased, { kind: 'hello', protocols: ['\x0a\x0a', ATTESTATION_ALPN] });
  t.notOk(namesOnly(greased, ATTESTATION_ALPN), 'another name beside it');
});

t.test('tells one that names a protocol alone from all others', async (t) => {
  const verdict = (...protocols: string[]) => readClientHello(records(clientHello([alpn(...protocols)])));
  t.ok(namesOnly(verdict(ATTESTATION_ALPN), ATTESTATION_ALPN));
  for (const protocols of [
    ['postgresql', ATTESTATION_ALPN],
    [ATTESTATION_ALPN, 'postgresql'],
    [ATTESTATION_ALPN, ATTESTATION_ALPN],
    ['acra-attestation/2'],
    ['ACRA-ATTESTATION/1'],
    [`${ATTESTATION_ALPN}\0`],
  ]) {
    t.notOk(namesOnly(verdict(...protocols), ATTESTATION_ALPN), protocols.join());
  }
  t.notOk(namesOnly(readClientHello(records(clientHello([]))), ATTESTATION_ALPN));
});

const whole = clientHello([alpn(ATTESTATION_ALPN)]);
const edited = (at: number, ...bytes: number[]) => {
  const copy = Buffer.from(whole);
  Buffer.from(bytes).copy(copy, at);
  return records(copy);
};

for (const [what, bytes] of Object.entries({
  'a request for TLS': Buffer.from('0000000804d2162f', 'hex'),
  'an alert': Buffer.from('15030100020100', 'hex'),
  'a record of SSL 2': Buffer.from('8031010300', 'hex'),
  'another version of records': Buffer.from('1604010005', 'hex'),
  'a record of no bytes': Buffer.from('1603010000', 'hex'),
  'a record that is too long': Buffer.from('1603014001', 'hex'),
  'another message': edited(0, 2),
  'a message of 16 MiB': Buffer.from('1603010200 01ffffff'.replace(' ', ''), 'hex'),
  'a message of no bytes': Buffer.from('160301000401000000', 'hex'),
  'another record in the middle': Buffer.concat([records(whole.subarray(0, 9)), Buffer.from('140303000101', 'hex')]),
  'a message behind it in its record': records(Buffer.concat([whole, Buffer.of(1, 0, 0, 0)])),
  'an old version': edited(4, 2),
  'a session id that is too long': edited(38, 33),
  'no ciphers': records(clientHello([], { ciphers: Buffer.alloc(0) })),
  'half a cipher': records(clientHello([], { ciphers: Buffer.alloc(3) })),
  'no compression': records(clientHello([], { compressions: Buffer.alloc(0) })),
  'extensions that end too soon': records(clientHello([Buffer.of(0, 16, 0, 9, 0)])),
  'an extension twice': records(clientHello([alpn(ATTESTATION_ALPN), alpn(ATTESTATION_ALPN)])),
  'bytes behind its extensions': records(clientHello([alpn(ATTESTATION_ALPN)], { behind: Buffer.of(0) })),
  'a list of no protocols': records(clientHello([extension(16, Buffer.of(0, 0))])),
  'a protocol of no name': records(clientHello([extension(16, Buffer.of(0, 1, 0))])),
  'bytes behind the protocols': records(clientHello([extension(16, Buffer.of(0, 2, 1, 0x61, 0))])),
  'a protocol that ends too soon': records(clientHello([extension(16, Buffer.of(0, 2, 9, 0x61))])),
})) {
  t.test(`does not read ${what}`, async (t) => t.same(readClientHello(bytes), { kind: 'unreadable' }));
}

t.test('gives up on a long one from its first bytes', async (t) => {
  for (const bytes of [MAX_HELLO_BYTES, 64 * 1024, 0xff_ffff])
    t.equal(readClientHello(longClientHello(bytes).subarray(0, 9)).kind, 'unreadable');
});
