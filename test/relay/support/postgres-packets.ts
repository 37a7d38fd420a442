/** First packets of PostgreSQL, as its protocol documentation gives them. */

function packet(code: number, rest: Buffer): Buffer {
  const bytes = Buffer.alloc(8 + rest.length);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(code, 4);
  rest.copy(bytes, 8);
  return bytes;
}

export const SSL_REQUEST = packet(80877103, Buffer.alloc(0));
export const GSS_REQUEST = packet(80877104, Buffer.alloc(0));
export const CANCEL_REQUEST = packet(80877102, Buffer.from('0000002a00c0ffee', 'hex'));
export const STARTUP_MESSAGE = packet(3 << 16, Buffer.from('user\0alice\0database\0shop\0\0'));
export const TLS_RECORD = Buffer.from('16030100050100000100', 'hex');
