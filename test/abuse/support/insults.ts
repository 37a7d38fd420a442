/** What a client with a valid certificate can say in its session, and what becomes of the session then. */
import * as messages from '../../../postgres/messages.ts';
import { frame } from './raw-client.ts';

export interface Insult {
  readonly says: readonly Buffer[];
  /** The SQLSTATE that the session ends with; undefined: it goes on. */
  readonly ends?: string;
  /** SQLSTATEs of all errors that it gets, where it goes on. */
  readonly errors?: readonly string[];
}

const MIB = 1024 * 1024;
const SYNC = frame('S');
const VIOLATION = '08P01';
const query = (sql: string) => frame('Q', `${sql}\0`);
const parse = (name: string, sql: string) => messages.PARSE.encode(name, sql, []);
const bind = (statement: string, values: (Buffer | null)[], formats: number[] = []) =>
  messages.BIND.encode('', statement, formats, values, []);
const execute = frame('E', '\0\0\0\0\0');
const INSERT = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
/** A value for a protected column that is to look like one of Acra's containers; the row's check refuses none of them. */
const stored = (id: number, value: Buffer) => [
  parse('', INSERT),
  bind('', [Buffer.from(String(id)), Buffer.from('x'), Buffer.from(`${id}@x`), value], [0, 0, 0, 1]),
  execute,
  SYNC,
];
const nested = (open: string, middle: string, close: string, bytes: number) => {
  const count = Math.floor(bytes / (open.length + close.length));
  return query(`SELECT ${open.repeat(count)}${middle}${close.repeat(count)}`);
};
const repeated = (each: Buffer, count: number) => Buffer.concat(Array<Buffer>(count).fill(each));

/** Headers of Acra's containers with lengths that cannot be (acra/container.ts). */
const u64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};
export const FALSE_CONTAINERS: readonly Buffer[] = [
  Buffer.from('%%%'),
  ...[0n, 1n, 12n, 13n, 0x7fff_ffffn, 0xffff_ffffn, 1n << 62n, (1n << 63n) - 1n, (1n << 64n) - 1n].flatMap((length) => [
    Buffer.concat([Buffer.from('%%%'), u64(length), Buffer.of(0xf0), Buffer.alloc(200, 0x22)]),
    Buffer.concat([Buffer.from('%%%'), u64(length), Buffer.of(0xf1), Buffer.alloc(200, 0x22)]),
    Buffer.concat([Buffer.alloc(4, 0x22), u64(length), Buffer.alloc(200, 0)]),
    Buffer.concat([Buffer.alloc(8, 0x22), Buffer.alloc(129, 1), u64(length), Buffer.alloc(64)]),
    Buffer.concat([
      Buffer.from('%%%'),
      u64(BigInt(12 + 20)),
      Buffer.of(0xf0),
      Buffer.alloc(4, 0x22),
      u64(length),
      Buffer.alloc(8),
    ]),
  ]),
];

export const INSULTS: Readonly<Record<string, Insult>> = {
  'a Query of length 0': { says: [frame('Q', '', 0)], ends: VIOLATION },
  'a Query of length 3': { says: [frame('Q', '', 3)], ends: VIOLATION },
  'a Query of 2 GiB': { says: [frame('Q', '', 0x7fff_ffff)], ends: VIOLATION },
  'a Query of 4 GiB': { says: [frame('Q', '', 0xffff_ffff)], ends: VIOLATION },
  'a start-up packet': { says: [Buffer.from('7fffffff00030000', 'hex')], ends: VIOLATION },
  'a request for TLS': { says: [Buffer.from('0000000804d2162f', 'hex'), Buffer.alloc(2_100)], ends: VIOLATION },
  'a password that nobody asked for': { says: [frame('p', 'secret\0')], ends: VIOLATION },
  'a type that no message has': { says: [frame('!', 'x')], ends: VIOLATION },
  'a Query without an end': { says: [frame('Q', 'SELECT 1')], ends: VIOLATION },
  'an empty Query': { says: [query('')] },
  'a Query with more behind its end': { says: [frame('Q', 'SELECT 1\0; DROP TABLE patients\0')] },
  'a Query of 17 MiB': { says: [query(' '.repeat(17 * MIB))], errors: ['54000'] },
  'a Parse of 17 MiB': { says: [parse('', ' '.repeat(17 * MIB)), SYNC], errors: ['54000'] },
  'a Bind of 17 MiB': {
    says: [parse('', 'SELECT $1::text'), bind('', [Buffer.alloc(17 * MIB, 0x20)]), SYNC],
    errors: ['54000'],
  },
  'a Query that is no UTF-8': { says: [frame('Q', Buffer.from([0x53, 0xff, 0xfe, 0]))], errors: ['22021'] },
  'a function called past SQL': { says: [frame('F', Buffer.alloc(20))], errors: ['0A000'] },
  'COPY data that nobody asked for': { says: [frame('d', 'x'), frame('c'), frame('f', 'no\0')] },
  'COPY into a protected table': {
    says: [query('COPY patients FROM STDIN'), frame('d', '1\tplain'), frame('c')],
    errors: ['22P04'],
  },
  'EXECUTE with a value that cannot be protected': {
    says: [parse('q', INSERT), SYNC, query("EXECUTE q(1, true, lower('x@y'), 'z')")],
    errors: ['0A000'],
  },
  'a search by a pattern in EXISTS': {
    says: [query("SELECT EXISTS (SELECT 1 FROM patients WHERE email LIKE 'x')")],
    errors: ['0A000'],
  },
  'Bind of what was never parsed': { says: [bind('nothing', []), execute, SYNC], errors: ['26000'] },
  'Bind with a negative length': { says: [frame('B', '\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0')], ends: VIOLATION },
  'Bind with more parameters than bytes': { says: [frame('B', '\0\0\0\0\xff\xff')], ends: VIOLATION },
  'Describe of nothing': { says: [frame('D', '')], ends: VIOLATION },
  'Close of what never was': { says: [frame('C', 'Snothing\0'), frame('C', 'Pnothing\0'), SYNC] },
  'parentheses to the end of a short text': { says: [nested('(', '1', ')', 2_000)] },
  'parentheses beyond it': { says: [nested('(', '1', ')', 200_000)], errors: ['54001'] },
  '16 MiB of parentheses': { says: [nested('(', '1', ')', 15 * MIB)], errors: ['54001'] },
  '1 MiB of subscripts': { says: [nested('a[', '1', ']', MIB)], errors: ['54001'] },
  '1 MiB of signs': { says: [nested('+ ', '1', '', MIB)], errors: ['54001'] },
  '1 MiB of sub-selects': { says: [nested('(SELECT ', '1', ')', MIB)], errors: ['54001'] },
  'a hundred thousand Syncs': { says: [repeated(SYNC, 100_000)] },
  'a hundred thousand Flushes': { says: [repeated(frame('H'), 100_000)] },
  'twenty thousand statements at once': { says: [repeated(parse('', 'SELECT 1'), 20_000), SYNC] },
  'twenty thousand statements with names': {
    says: [...Array.from({ length: 20_000 }, (_, index) => parse(`s${index}`, 'SELECT 1')), SYNC],
  },
  'a million rows without columns': { says: [query('SELECT FROM generate_series(1, 1000000)')] },
  'a value of 15 MiB': { says: stored(9_000_001, Buffer.alloc(15 * MIB, 0x41)) },
};

/** acra-server takes some of these for encrypted, and breaks over others: they never reach it (22023). */
const REFUSED_VALUES = new Set([3, 5, 8, 10, 13, 15, 18, 20, 38, 40, 43, 45]);

export const FALSE_VALUES: Readonly<Record<string, Insult>> = Object.fromEntries(
  FALSE_CONTAINERS.map((value, index) => [
    `a value that looks like a container (${index})`,
    { says: stored(9_100_000 + index, value), errors: REFUSED_VALUES.has(index) ? ['22023'] : [] },
  ]),
);
