/** ELF files of some hundred bytes with a chosen dynamic section; never run. */

export interface TinyElf {
  readonly machine?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly runpath?: string;
  readonly rpath?: string;
  /** Bytes after the last segment. */
  readonly unloaded?: number;
}

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const DYNAMIC_AT = HEADER_BYTES + 3 * PROGRAM_HEADER_BYTES;

class Strings {
  #text = '\0';

  add(text: string): bigint {
    const offset = this.#text.length;
    this.#text += `${text}\0`;
    return BigInt(offset);
  }

  get bytes(): Buffer {
    return Buffer.from(this.#text);
  }
}

export function tinyElf({ machine = 62, interpreter, needed = [], runpath, rpath, unloaded = 0 }: TinyElf): Buffer {
  const strings = new Strings();
  const texts: [bigint, bigint][] = [
    ...needed.map((name): [bigint, bigint] => [1n, strings.add(name)]),
    ...(rpath === undefined ? [] : [[15n, strings.add(rpath)] as [bigint, bigint]]),
    ...(runpath === undefined ? [] : [[29n, strings.add(runpath)] as [bigint, bigint]]),
  ];
  const interpreterAt = interpreter === undefined ? 0n : strings.add(interpreter);
  const dynamicBytes = 16 * (texts.length + 3);
  const stringsAt = BigInt(DYNAMIC_AT + dynamicBytes);
  const table = strings.bytes;
  const dynamic = Buffer.alloc(dynamicBytes);
  [...texts, [5n, stringsAt] as const, [10n, BigInt(table.length)] as const].forEach(([tag, value], index) => {
    dynamic.writeBigUInt64LE(tag, 16 * index);
    dynamic.writeBigUInt64LE(value, 16 * index + 8);
  });
  const loaded = DYNAMIC_AT + dynamicBytes + table.length;
  const header = Buffer.alloc(DYNAMIC_AT);
  header.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  header.writeUInt16LE(machine, 18);
  header.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  header.writeBigUInt64LE(BigInt(loaded), 40);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(3, 56);
  header.writeUInt16LE(7, 60);
  const segment = (index: number, type: number, offset: bigint, bytes: number): void => {
    const at = HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
    header.writeUInt32LE(type, at);
    header.writeBigUInt64LE(offset, at + 8);
    header.writeBigUInt64LE(offset, at + 16);
    header.writeBigUInt64LE(BigInt(bytes), at + 32);
  };
  segment(0, 1, 0n, loaded);
  segment(1, 2, BigInt(DYNAMIC_AT), dynamicBytes);
  if (interpreter !== undefined) segment(2, 3, stringsAt + interpreterAt, interpreter.length + 1);
  return Buffer.concat([header, dynamic, table, Buffer.alloc(unloaded, 's')]);
}
