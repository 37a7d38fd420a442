/** Tar archives made byte by byte, also such as no tool would write. Specification: POSIX pax, "ustar Interchange Format". */

export interface TestEntry {
  readonly name: string;
  /** One character; default: 0, a file. */
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly target?: string;
  readonly text?: string;
  readonly bytes?: Uint8Array;
  /** Records of an extended header before the entry. */
  readonly pax?: Readonly<Record<string, string>>;
  /** Name, and target of a link, in headers of GNU tar before the entry. */
  readonly isGnu?: boolean;
  readonly mtimeS?: number;
}

const BLOCK = 512;

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`;
}

interface Header {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly entry: TestEntry;
}

function header({ name, type, size, entry }: Header): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name.slice(0, 100), 0);
  block.write(octal(entry.mode ?? (type === '5' ? 0o755 : 0o644), 7), 100);
  block.write(octal(entry.uid ?? 0, 7), 108);
  block.write(octal(entry.gid ?? 0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(entry.mtimeS ?? 0, 11), 136);
  block.write(type, 156, 'latin1');
  block.write((entry.target ?? '').slice(0, 100), 157);
  block.write('ustar\x0000', 257, 'latin1');
  return summed(block);
}

/** With its checksum. */
export function summed(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.subarray(0, BLOCK).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function record(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

function extended(type: string, text: string): Buffer {
  const bytes = Buffer.from(text);
  const name = type === 'x' ? 'PaxHeaders/entry' : '././@LongLink';
  return Buffer.concat([header({ name, type, size: bytes.length, entry: { name } }), padded(bytes)]);
}

function before({ name, target = '', pax, isGnu = false }: TestEntry): Buffer[] {
  if (isGnu) return [extended('L', `${name}\0`), ...(target === '' ? [] : [extended('K', `${target}\0`)])];
  const isLong = Buffer.byteLength(name) > 100;
  const records = {
    ...(isLong ? { path: name } : {}),
    ...(Buffer.byteLength(target) > 100 ? { linkpath: target } : {}),
    ...pax,
  };
  const text = Object.entries(records).map(([key, value]) => record(key, value));
  return text.length === 0 ? [] : [extended('x', text.join(''))];
}

export function tarEntry(entry: TestEntry): Buffer {
  const { name, type = '0', bytes = Buffer.from(entry.text ?? '') } = entry;
  return Buffer.concat([...before(entry), header({ name, type, size: bytes.length, entry }), padded(bytes)]);
}

export const TAR_END = Buffer.alloc(2 * BLOCK);

export function tarOf(entries: readonly TestEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), TAR_END]);
}
