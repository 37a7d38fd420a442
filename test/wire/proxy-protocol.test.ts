/** Headers of the PROXY protocol, version 2: whose connection they name, what they may be, and that nothing else is taken for one. */
import fc from 'fast-check';
import t from 'tap';
import { crc32c } from '../../wire/crc32c.ts';
import { WireError } from '../../wire/errors.ts';
import {
  encodeProxyHeader,
  looksLikeProxyHeader,
  MAX_PROXY_HEADER_BYTES,
  parseProxyHeader,
} from '../../wire/proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const V4 = 'c0000201 cb007109 c822 1538';
const V6 = `20010db8${'0'.repeat(23)}1 20010db8${'0'.repeat(23)}2 c822 1538`;

const fromHex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

function header(versionAndFamily: string, block: Buffer | string, statedBytes?: number): Buffer {
  const bytes = typeof block === 'string' ? fromHex(block) : block;
  const length = Buffer.alloc(2);
  length.writeUInt16BE(statedBytes ?? bytes.length);
  return Buffer.concat([fromHex(SIGNATURE), fromHex(versionAndFamily), length, bytes]);
}

function vector(type: number, value: Buffer): Buffer {
  const start = Buffer.from([type, 0, 0]);
  start.writeUInt16BE(value.length, 1);
  return Buffer.concat([start, value]);
}

function errorOf(bytes: Buffer): WireError | undefined {
  try {
    parseProxyHeader(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof WireError && error.code === 'WIRE_PROXY_HEADER') return error;
    throw error;
  }
}

/** What a Network Load Balancer of AWS sends for a connection through an endpoint service: checksum, endpoint, padding. */
const AWS_NLB = header(
  '2111',
  `ac1f0771 ac1f0a1f c8f2 0050 030004 e8d6892d ea0017 01${Buffer.from('vpce-08d2bf15fac5001c9').toString('hex')} 040024${'00'.repeat(36)}`,
);

const TAKEN: readonly [what: string, bytes: Buffer, address: string, port: number][] = [
  ['IPv4', header('2111', V4), '192.0.2.1', 51_234],
  ['IPv6', header('2121', V6), '2001:db8::1', 51_234],
  [
    'IPv4 that is mapped to IPv6',
    header('2121', `${'0'.repeat(20)}ffffc0000201${'0'.repeat(32)}00010002`),
    '::ffff:192.0.2.1',
    1,
  ],
  ['vectors of unknown and known types', header('2111', `${V4} 040000 050001ff e00002abcd`), '192.0.2.1', 51_234],
  ['a Network Load Balancer', AWS_NLB, '172.31.7.113', 51_442],
  [
    'a header as long as any',
    header('2111', Buffer.concat([fromHex(V4), vector(4, Buffer.alloc(2048 - 15))])),
    '192.0.2.1',
    51_234,
  ],
];

for (const [what, bytes, address, port] of TAKEN) {
  t.test(`reads the source of ${what}, and waits for it byte by byte`, async (t) => {
    for (let length = 0; length < bytes.length; length++)
      t.equal(parseProxyHeader(bytes.subarray(0, length)).kind, 'more');
    const expected = { kind: 'proxied', source: { address, port }, headerBytes: bytes.length };
    t.same(parseProxyHeader(bytes), expected);
    t.same(parseProxyHeader(Buffer.concat([bytes, Buffer.from(SIGNATURE, 'hex')])), expected, 'with bytes behind');
    t.ok(bytes.length <= MAX_PROXY_HEADER_BYTES);
  });
}

t.test('takes a health check of the balancer, and skips what it carries', async (t) => {
  for (const bytes of [
    header('2000', ''),
    header('2011', V4),
    header('20ff', 'deadbeef'),
    header('2000', '030004 00000000'),
  ]) {
    t.same(parseProxyHeader(bytes), { kind: 'local', headerBytes: bytes.length });
    t.equal(parseProxyHeader(bytes.subarray(0, -1)).kind, 'more');
  }
});

const REFUSED: readonly [what: string, bytes: Buffer, atByte: number, words: RegExp][] = [
  ['version 1', Buffer.from('PROXY TCP4 192.0.2.1 203.0.113.9 51234 5432\r\n'), 1, /begins as version 1/],
  ['an SSLRequest', fromHex('0000000804d2162f'), 1, /begins otherwise/],
  ['a signature that changes', fromHex(`${SIGNATURE.slice(0, -2)}0b2111`), 12, /begins otherwise/],
  ['version 1 in the binary form', header('1111', V4), 13, /unknown version/],
  ['version 3', header('3111', V4), 13, /unknown version/],
  ['an unknown command', header('2211', V4), 13, /unknown version or command/],
  ['a family of nobody', header('2100', ''), 14, /does not tell a source/],
  ['UDP', header('2112', V4), 14, /does not tell a source/],
  ['a unix socket', header('2131', '00'.repeat(216)), 14, /does not tell a source/],
  ['an unknown family', header('2141', V4), 14, /does not tell a source/],
  ['an address that is cut', header('2111', V4.slice(0, -2)), 16, /too short/],
  ['IPv6 with the bytes of IPv4', header('2121', V4), 16, /too short/],
  ['a header longer than 2 KiB and its start', header('2111', V4, 2049), 16, /too long/],
  ['a long health check', header('2000', '', 2049), 16, /too long/],
  ['half the start of a vector', header('2111', `${V4} 0400`), 30, /vector does not end/],
  ['a vector that is cut', header('2111', `${V4} 040002 00`), 32, /vector does not end/],
  ['a vector behind whole ones that is cut', header('2111', `${V4} 040000 ea0001`), 34, /vector does not end/],
  ['a checksum of three bytes', header('2111', `${V4} 030003 000000`), 34, /checksum has a wrong length/],
  ['a checksum of five bytes', header('2111', `${V4} 030005 0000000000`), 36, /checksum has a wrong length/],
  ['a wrong checksum', header('2111', `${V4} 030004 00000000`), 35, /checksum is wrong/],
];

for (const [what, bytes, atByte, words] of REFUSED) {
  t.test(`rejects ${what} at byte ${atByte}`, async (t) => {
    t.equal(parseProxyHeader(bytes.subarray(0, atByte - 1)).kind, 'more');
    t.match(errorOf(bytes.subarray(0, atByte))?.message, words);
    t.match(errorOf(bytes)?.message, words);
  });
}

/** With another type the checksum is an unknown vector. */
const CHECKSUM_TYPE_AT = 28;

t.test('takes no source from a header with a checksum of which a bit was changed', async (t) => {
  for (let bit = 0; bit < AWS_NLB.length * 8; bit++) {
    if (bit >> 3 === CHECKSUM_TYPE_AT) continue;
    const changed = Buffer.from(AWS_NLB);
    changed[bit >> 3] = changed.readUInt8(bit >> 3) ^ (1 << (bit & 7));
    // With the bit of the command it is a health check, with one of the length a longer header is waited for.
    const isTaken = errorOf(changed) === undefined && parseProxyHeader(changed).kind === 'proxied';
    t.notOk(isTaken, String(bit));
  }
});

t.test('reads what is put together, with its checksum wherever it stands', async (t) => {
  const vectors = fc.array(fc.tuple(fc.integer({ min: 4, max: 255 }), fc.uint8Array({ maxLength: 20 })), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.ipV4(), fc.nat(65_535), vectors, vectors, (address, port, before, behind) => {
      const start = Buffer.from([...address.split('.').map(Number), 10, 0, 0, 1, port >> 8, port & 255, 21, 56]);
      const written = (list: typeof before) => list.map(([type, value]) => vector(type, Buffer.from(value)));
      const parts = [start, ...written(before), vector(3, Buffer.alloc(4)), ...written(behind)];
      const bytes = header('2111', Buffer.concat(parts));
      const offset = bytes.length - Buffer.concat(written(behind)).length - 4;
      bytes.writeUInt32BE(crc32c(bytes), offset);
      t.same(parseProxyHeader(bytes), { kind: 'proxied', source: { address, port }, headerBytes: bytes.length });
    }),
    { seed: 1, numRuns: 200 },
  );
});

t.test('reads back what it writes, of both families and of nobody', async (t) => {
  for (const [address, size] of [
    ['192.0.2.1', 28],
    ['2001:db8::1', 52],
  ] as const) {
    const source = { address, port: 51_234 };
    t.same(parseProxyHeader(encodeProxyHeader(source)), { kind: 'proxied', source, headerBytes: size });
  }
  const mapped = encodeProxyHeader({ address: '::ffff:192.0.2.1', port: 1 });
  t.match(parseProxyHeader(mapped), { source: { address: '192.0.2.1', port: 1 } });
  t.same(parseProxyHeader(encodeProxyHeader(undefined)), { kind: 'local', headerBytes: 16 });
});

t.test('knows the beginning of a header of either version from what is none', async (t) => {
  for (const bytes of [AWS_NLB, AWS_NLB.subarray(0, 8), Buffer.from('PROXY TCP4 192.0.2.1'), Buffer.from('PROX')])
    t.ok(looksLikeProxyHeader(bytes), bytes.toString('hex'));
  for (const bytes of [Buffer.from('PRO'), Buffer.from('PROBE '), Buffer.from('\r\n\r\n\0\r\nX'), Buffer.alloc(0)])
    t.notOk(looksLikeProxyHeader(bytes), bytes.toString('hex'));
});
