import t from 'tap';
import { crc32c } from '../../wire/crc32c.ts';

const RFC_3720: readonly [what: string, bytes: Buffer, sum: number][] = [
  ['32 zeroes', Buffer.alloc(32), 0x8a91_36aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8_ab43],
  ['32 growing bytes', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd_794e],
  ['32 falling bytes', Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113f_db5c],
];

t.test('gives the sums of RFC 3720 B.4, and of the digits', async (t) => {
  // The RFC lists bytes in the order in which iSCSI sends them, the lowest first.
  for (const [what, bytes, sum] of RFC_3720) t.equal(crc32c(bytes), sum, what);
  t.equal(crc32c(Buffer.from('123456789')), 0xe306_9283);
  t.equal(crc32c(Buffer.alloc(0)), 0);
});
