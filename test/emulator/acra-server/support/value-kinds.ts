/** The kinds of values that value-cases.ts tries, and words for bytes that came of them. */
import { encodeContainer } from '../../../../acra/container.ts';

/** What every case begins with; `text`: the characters in an SQL string or parameter. */
export interface Value {
  readonly name: string;
  readonly bytes: Buffer;
  /** As text it is sent in hex. */
  readonly isBinary: boolean;
}

export const TEXTS = [
  '',
  'a',
  'plain ascii',
  'ünï — 漢字 🙂',
  "it's",
  '42',
  '-7',
  '%%%',
  '%%%%%%%%%%%%%%%%',
  '""""""""""""""""""""""""',
  '\\x616263',
  '\\x6162C3',
  '\\X6162',
  '\\x',
  '\\xzz',
  '\\x0',
  '\\x61 62',
  ' \\x61',
  'a\\b',
  'a\\\\b',
  'a\\101',
  'a\\777',
  'a\\10',
  'a\\x41',
  'a\\\\b\\x41',
  '\\',
  'ends with \\',
  '\\\\',
  'line\nbreak',
  'tab\t\\101',
  'delete \x7f',
  'next line \u0085',
  'nul by octal \\000 here',
  'quote \\" and \\Z',
];

/** Makes what a client's keys make. */
interface Maker {
  container(plaintext: string | Buffer, client?: string): Buffer;
  hash(plaintext: string | Buffer, client?: string): Buffer;
}

/** Bytes that are, hold or resemble what acra-server stores. */
export function containerKinds(keys: Maker): Record<string, Buffer> {
  const own = keys.container('value');
  const flipped = (at: number, from = own) => {
    const copy = Buffer.from(from);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const searchable = Buffer.concat([keys.hash('value'), own]);
  const struct = Buffer.concat([Buffer.alloc(8, 0x22), Buffer.alloc(129, 1), Buffer.from('0400000000000000', 'hex')]);
  const withLength = (length: bigint) => {
    const copy = Buffer.from(own);
    copy.writeBigUInt64LE(length, 3);
    return copy;
  };
  const hashFlips = [0, 1, 16, 32].map((at) => [`searchable, hash bit ${at} flipped`, flipped(at, searchable)]);
  const flips = { tag: 0, length: 3, 'envelope id': 11, 'block tag': 12, 'block length': 16, 'key type': 24 };
  const more = { 'key id': 25, 'data type': 27, 'key length': 28, 'sealed key': 60, 'sealed data': own.length - 3 };
  const damaged = Object.entries({ ...flips, ...more }).map(([what, at]) => [
    `container, ${what} flipped`,
    flipped(at),
  ]);
  return {
    ...Object.fromEntries([...hashFlips, ...damaged]),
    container: own,
    "container, another client's": keys.container('of bob', 'bob'),
    'container, one byte short': own.subarray(0, -1),
    'container, only its header': own.subarray(0, 12),
    'container, more behind': Buffer.concat([own, Buffer.from('more')]),
    'container, more before': Buffer.concat([Buffer.from('more'), own]),
    'container twice': Buffer.concat([own, Buffer.from('|'), keys.container('two')]),
    'container, length 0': withLength(0n),
    'container, length 12': withLength(12n),
    'container, length one more': withLength(BigInt(own.length + 1)),
    'container, length one less': withLength(BigInt(own.length - 1)),
    'container in a container': keys.container(own),
    'container of an AcraStruct': encodeContainer('acrastruct', Buffer.from('body')),
    'container, empty': encodeContainer('acrablock', Buffer.alloc(0)),
    'bare block': own.subarray(12),
    'bare block, more around': Buffer.concat([Buffer.from('<'), own.subarray(12), Buffer.from('>')]),
    'bare block behind a container': Buffer.concat([own, own.subarray(12)]),
    searchable,
    'searchable, more behind': Buffer.concat([searchable, Buffer.from('more')]),
    'searchable, more before': Buffer.concat([Buffer.from('more'), searchable]),
    'searchable, of another value': Buffer.concat([keys.hash('another'), own]),
    "searchable, another client's": Buffer.concat([keys.hash('of bob', 'bob'), keys.container('of bob', 'bob')]),
    "searchable, hash another client's": Buffer.concat([keys.hash('value', 'bob'), own]),
    'hash alone': keys.hash('value'),
    'hash before text': Buffer.concat([keys.hash('value'), Buffer.from('text')]),
    'an AcraStruct by its form': Buffer.concat([struct, Buffer.from('data')]),
    'an AcraStruct cut off': Buffer.concat([struct, Buffer.from('dat')]),
  };
}

/** Shorter pieces of a value are told as they are. */
export const MIN_PIECE_BYTES = 8;

/** Printable text as it is, other bytes in hex, and pieces of the value, which may be random, by where they stand in it. */
export function piecesOf(bytes: Buffer, value: Buffer): string {
  const parts: string[] = [];
  let own: number[] = [];
  const endOwn = () => {
    if (own.length > 0) parts.push(shown(Buffer.from(own)));
    own = [];
  };
  for (let at = 0; at < bytes.length; ) {
    const start = bytes.length - at < MIN_PIECE_BYTES ? -1 : value.indexOf(bytes.subarray(at, at + MIN_PIECE_BYTES));
    if (start === -1) {
      own.push(bytes[at] ?? 0);
      at += 1;
      continue;
    }
    let length = MIN_PIECE_BYTES;
    while (at + length < bytes.length && bytes[at + length] === value[start + length]) length += 1;
    endOwn();
    parts.push(`[${start} to ${start + length}]`);
    at += length;
  }
  endOwn();
  return parts.join(' ');
}

function shown(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  return /^[\x20-\x7e]*$/.test(text) ? JSON.stringify(text) : bytes.toString('hex');
}
