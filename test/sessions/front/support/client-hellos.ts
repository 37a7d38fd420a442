/** ClientHellos made by hand (RFC 8446 section 4.1.2), right or wrong as they are asked for. */

function vector(lengthBytes: 1 | 2 | 3, content: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
}

export function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type >> 8, type & 255), vector(2, content)]);
}

/** RFC 7301 section 3.1. */
export function alpn(...protocols: readonly string[]): Buffer {
  const names = protocols.map((name) => vector(1, Buffer.from(name, 'latin1')));
  return extension(16, vector(2, Buffer.concat(names)));
}

interface Other {
  readonly ciphers?: Buffer;
  readonly compressions?: Buffer;
  readonly behind?: Buffer;
}

/** The message, without records. GREASE is its first cipher. */
export function clientHello(
  extensions: readonly Buffer[],
  { ciphers = Buffer.of(0x0a, 0x0a, 0x13, 0x01), compressions = Buffer.of(0), behind = Buffer.alloc(0) }: Other = {},
): Buffer {
  const body = [
    Buffer.of(3, 3),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 8)),
    vector(2, ciphers),
    vector(1, compressions),
    vector(2, Buffer.concat(extensions)),
    behind,
  ];
  return Buffer.concat([Buffer.of(1), vector(3, Buffer.concat(body))]);
}

/** @param partBytes of the message in each record; default: all */
export function records(message: Buffer, partBytes: number = message.length): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += partBytes) {
    parts.push(Buffer.of(0x16, 3, 1), vector(2, message.subarray(at, at + partBytes)));
  }
  return Buffer.concat(parts);
}
