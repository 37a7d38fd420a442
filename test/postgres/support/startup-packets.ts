/** Packets that ask for a session, most of them not as they should. */

/** A packet of protocol 3.0 with this body; its length may be another than it states. */
export function packet(body: string, { version = '00030000', statedBytes = 0 } = {}): Buffer {
  const length = Buffer.alloc(4);
  const frame = Buffer.concat([length, Buffer.from(version, 'hex'), Buffer.from(body, 'latin1')]);
  frame.writeUInt32BE(statedBytes || frame.length, 0);
  return frame;
}

/** Each with the SQLSTATE of what is wrong. */
export const REFUSED: readonly [what: string, frame: Buffer, sqlState: string][] = [
  ['no bytes', Buffer.alloc(0), '08P01'],
  ['a packet without version', Buffer.from([0, 0, 0, 4]), '08P01'],
  ['a packet without terminator', packet('user\0a\0'), '08P01'],
  ['a packet without pairs and without terminator', packet(''), '08P01'],
  ['a name without value', packet('user\0a\0database\0'), '08P01'],
  ['a value that does not end', packet('user\0a\0database\0b'), '08P01'],
  ['bytes behind the terminator', packet('user\0a\0\0\0'), '08P01'],
  ['a pair behind the terminator', packet('user\0a\0\0user\0b\0\0'), '08P01'],
  ['a last byte other than zero', packet('user\0a\0Q'), '08P01'],
  ['a length that is too small', packet('user\0a\0\0', { statedBytes: 15 }), '08P01'],
  ['a length that is too large', packet('user\0a\0\0', { statedBytes: 17 }), '08P01'],
  ['a negative length', packet('user\0a\0\0', { statedBytes: 0xffff_fff0 }), '08P01'],
  ['protocol 2', packet('user\0a\0\0', { version: '00020000' }), '0A000'],
  ['protocol 4', packet('user\0a\0\0', { version: '00040000' }), '0A000'],
  ['an SSLRequest', packet('', { version: '04d2162f' }), '0A000'],
  ['no parameters', packet('\0'), '28000'],
  ['no user', packet('database\0a\0\0'), '28000'],
  ['an empty user', packet('user\0\0\0'), '28000'],
  ['a user that is emptied later', packet('user\0a\0user\0\0\0'), '28000'],
  ['a user in capitals', packet('USER\0a\0\0'), '28000'],
];
