/** What a database can say behind a login, and what becomes of the session then. */
import { randomBytes } from 'node:crypto';
import { encodeError } from '../../../postgres/error-response.ts';
import { int32 } from '../../../postgres/integers.ts';
import { DATA_ROW } from '../../../postgres/messages.ts';
import { FALSE_CONTAINERS } from './insults.ts';
import type { Lie } from './lying-database.ts';
import { frame } from './raw-client.ts';

export interface DatabaseLie {
  readonly lie: Lie;
  /** What the client sends; default: a simple SELECT of a protected column. */
  readonly asks?: Buffer;
  /** The SQLSTATE that the session ends with; undefined: it goes on up to ReadyForQuery. */
  readonly ends?: string | 'without a word';
}

/** Says this in place of its first answer, and nothing from then on. */
function instead(...said: readonly Buffer[]): Lie {
  let isSaid = false;
  return {
    change: () => {
      if (isSaid) return [];
      isSaid = true;
      return said;
    },
  };
}

/** Says this before its first answer. */
function before(...said: readonly Buffer[]): Lie {
  let isSaid = false;
  return {
    change: ({ frame: own }) => {
      const all = isSaid ? [own] : [...said, own];
      isSaid = true;
      return all;
    },
  };
}

/** Changes every message of one type. */
const changing = (type: string, change: (own: Buffer) => readonly Buffer[]): Lie => ({
  change: (message) => (message.type === type ? change(message.frame) : [message.frame]),
});

const MIB = 1024 * 1024;
/** Of what the client asks for by default. */
const cellRow = (cell: Buffer) => DATA_ROW.encode([Buffer.from('1'), Buffer.from(`\\x${cell.toString('hex')}`)]);
const READY = frame('Z', 'I');
const VIOLATION = '08P01';
const field = (name: string, type: number) =>
  Buffer.concat([Buffer.from(`${name}\0`), int32(0), Buffer.alloc(2), int32(type), Buffer.alloc(8)]);
const columns = (count: number) =>
  frame(
    'T',
    Buffer.concat([Buffer.of(count >> 8, count & 255), ...Array.from({ length: count }, () => field('c', 17))]),
  );

export const LIES: Readonly<Record<string, DatabaseLie>> = {
  'a length of 2 GiB': { lie: instead(frame('D', '', 0x7fff_ffff)), ends: VIOLATION },
  'a length of 4 GiB': { lie: instead(frame('D', '', 0xffff_ffff)), ends: VIOLATION },
  'a length of 3': { lie: instead(frame('T', '', 3)), ends: VIOLATION },
  'a length of 0': { lie: instead(frame('Z', '', 0)), ends: VIOLATION },
  'a message beyond 64 MiB': { lie: instead(frame('D', '', 64 * MIB + 1)), ends: VIOLATION },
  'zero bytes': { lie: instead(Buffer.alloc(64 * 1024)), ends: VIOLATION },
  'a request for a password in clear': { lie: before(frame('R', int32(3))), ends: VIOLATION },
  'a request for an MD5 password': {
    lie: before(frame('R', Buffer.concat([int32(5), Buffer.alloc(4)]))),
    ends: VIOLATION,
  },
  'a second SASL exchange': {
    lie: before(frame('R', Buffer.concat([int32(10), Buffer.from('SCRAM-SHA-256\0\0')]))),
    ends: VIOLATION,
  },
  'a second AuthenticationOk': { lie: before(frame('R', int32(0))), ends: VIOLATION },
  'another protocol version': { lie: before(frame('v', Buffer.concat([int32(0x30000), int32(0)]))), ends: VIOLATION },
  'COPY data wanted for a SELECT': { lie: instead(frame('G', '\0\0\0')), ends: VIOLATION },
  'COPY in both directions for a SELECT': { lie: instead(frame('W', '\0\0\0')), ends: VIOLATION },
  'a type that no message has': { lie: before(frame('!', 'x')), ends: VIOLATION },
  'a row description cut short': { lie: changing('T', (own) => [frame('T', own.subarray(5, -3))]), ends: VIOLATION },
  'a row cut short': { lie: changing('D', (own) => [frame('D', own.subarray(5, -3))]), ends: VIOLATION },
  'a row with a negative length': { lie: changing('D', () => [frame('D', '\0\x02\xff\xff\xff\xfe')]), ends: VIOLATION },
  'a row of a list that is longer than it': { lie: changing('D', () => [frame('D', '\xff\xff\0\0')]) },
  'a row before its description': {
    lie: instead(DATA_ROW.encode([Buffer.from('\\x252525')]), frame('C', 'SELECT 1\0'), READY),
  },
  'cells that look like containers': {
    lie: changing('D', () => FALSE_CONTAINERS.map((cell) => cellRow(cell))),
  },
  'cells of random bytes': {
    lie: changing('D', () => Array.from({ length: 200 }, (_, index) => cellRow(randomBytes(index)))),
  },
  'a cell of 15 MiB that looks like a container': {
    lie: changing('D', () => [cellRow(Buffer.concat([Buffer.from('%%%'), Buffer.alloc(15 * MIB, 0x22)]))]),
  },
  'a cell of 20 MiB in a protected column': { lie: changing('D', () => [cellRow(Buffer.alloc(20 * MIB, 0x25))]) },
  'more cells than columns': {
    lie: instead(columns(1), DATA_ROW.encode(Array(2000).fill(Buffer.from('\\x00'))), frame('C', 'SELECT 1\0'), READY),
  },
  '65,535 columns': { lie: instead(columns(65_535), frame('C', 'SELECT 0\0'), READY) },
  'ten thousand ReadyForQuery': { lie: instead(...Array(10_000).fill(READY)) },
  'ten thousand errors': { lie: instead(...Array(10_000).fill(encodeError('ERROR', 'XX000', 'no')), READY) },
  'answers to what nobody asked': {
    lie: before(frame('1'), frame('2'), frame('3'), frame('n'), frame('t', '\0\0'), frame('s'), frame('I')),
  },
  'a setting that changes how statements are read': {
    lie: before(frame('S', 'standard_conforming_strings\0off\0')),
    ends: '22023',
  },
  'an encoding that changes how statements are read': {
    lie: before(frame('S', 'client_encoding\0SJIS\0')),
    ends: '22023',
  },
  'a setting without value': { lie: before(frame('S', 'client_encoding')), ends: VIOLATION },
  'an error without fields': { lie: instead(frame('E', ''), READY) },
  'an end in the middle of a message': {
    lie: {
      change: ({ frame: own }, { socket }) => {
        socket.end(own.subarray(0, 7));
        return [];
      },
    },
    ends: 'without a word',
  },
  'an end without a word': {
    lie: {
      change: (_, { socket }) => {
        socket.destroy();
        return [];
      },
    },
    ends: 'without a word',
  },
};
