/** Whether a stream can be a PostgreSQL client's, from its first eight bytes. */
import t from 'tap';
import { classifyOpening } from '../../postgres/start-up.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

const PLAUSIBLE: readonly (readonly [string, string])[] = [
  ['SSLRequest', '00000008 04d2162f'],
  ['GSSENCRequest', '00000008 04d21630'],
  ['CancelRequest', '00000010 04d2162e'],
  ['CancelRequest of protocol 3.2, with a key of 256 bytes', '0000010c 04d2162e'],
  ['StartupMessage 3.0', '00000025 00030000'],
  ['StartupMessage 3.2', '00000025 00030002'],
  ['StartupMessage as long as PostgreSQL takes them', '00002714 00030000'],
  ['TLS at once, OpenSSL', '16030102 00010001'],
  ['TLS at once, record version 1.2', '16030300 f4010000'],
  ['TLS at once, 16 KiB', '16030140 00010001'],
];
for (const [name, text] of PLAUSIBLE) {
  t.test(`takes ${name}, and waits for it byte by byte`, async (t) => {
    const bytes = hex(text);
    for (let length = 0; length < 8; length++) t.equal(classifyOpening(bytes.subarray(0, length)), 'more');
    t.equal(classifyOpening(bytes), 'plausible');
  });
}

const REFUSED: readonly (readonly [string, string, number])[] = [
  ['HTTP', Buffer.from('GET / HT').toString('hex'), 1],
  ['SSH', Buffer.from('SSH-2.0-').toString('hex'), 1],
  ['the PROXY protocol in text', Buffer.from('PROXY TC').toString('hex'), 1],
  ['the PROXY protocol in binary', '0d0a0d0a000d0a51', 1],
  ['RDP', '030000130ee00000', 1],
  ['SMB', '00000054ff534d42', 8],
  ['zeroes', '0000000000000000', 4],
  ['a packet shorter than its header', '0000000700030000', 4],
  ['a packet longer than PostgreSQL takes', '0000271500030000', 4],
  ['a length of megabytes', '0010000000030000', 2],
  ['a negative length', 'fffffff804d2162f', 1],
  ['an SSLRequest of another length', '0000000904d2162f', 8],
  ['a CancelRequest longer than any', '0000010d04d2162e', 8],
  ['a CancelRequest without a key', '0000000c04d2162e', 8],
  ['an unknown request code', '0000000804d21631', 8],
  ['protocol 2', '0000002500020000', 8],
  ['protocol 4', '0000002500040000', 8],
  ['a StartupMessage without parameters', '0000000800030000', 8],
  ['SSL 2', '802e010002001500', 1],
  ['a TLS alert', '15030100020100', 1],
  ['a TLS record of version 2', '1602000100010001', 2],
  ['a TLS record of an unknown version', '1603050100010001', 3],
  ['a TLS record over 16 KiB', '1603014100010001', 4],
  ['a TLS handshake that is no ClientHello', '1603010200020001', 6],
];
for (const [name, text, atByte] of REFUSED) {
  t.test(`refuses ${name} at byte ${atByte}`, async (t) => {
    const bytes = hex(text);
    t.equal(classifyOpening(bytes.subarray(0, atByte - 1)), 'more');
    for (let length = atByte; length <= bytes.length; length++) {
      t.equal(classifyOpening(bytes.subarray(0, length)), 'not-postgres');
    }
  });
}
