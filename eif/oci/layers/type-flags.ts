/**
 * Looks at the header of each entry of a tar archive as it streams by. modern-tar, which reads the entries, takes types that it does not
 * know for plain files, and would hand out a sparse file of GNU tar without its holes; here they are refused by name. Else the library
 * does all: numbers, long names, extended headers. What both take for the size of an entry is compared (tar.ts), so that no header is
 * hidden from either in what the other takes for data.
 * Specification: POSIX pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
 */
import { OciError } from '../errors.ts';

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
/** The name, the target of a link, and what stands before the name. */
const TEXTS_AT = [0, 157, 345];
/** A decoder of UTF-8 takes it away: the file would have another name, and perhaps that of another file. */
const BYTE_ORDER_MARK = Buffer.from('efbbbf', 'hex');
const SIZE = { start: 124, end: 136 };
const CHECKSUM = { start: 148, end: 156 };
const TYPE_AT = 156;

/** Files (NUL, 0, 7 of old archives), hard and symbolic links, devices, folders, fifos; long names of GNU; extended headers. */
const KNOWN = '\x000123456' + '7LKxg';
/** Links, devices, folders and fifos have no data, whatever their size says. */
const WITHOUT_DATA = '123456';

/** Long names and extended headers describe the entry behind them. */
const DESCRIBING = 'LKxg';

export class HeaderWatch {
  readonly #header = Buffer.alloc(BLOCK_BYTES);
  /** Of entries that nobody has asked for yet. */
  readonly #sizes: number[] = [];
  #hasBegun = false;
  #filled = 0;
  /** Bytes until the next header. */
  #data = 0;
  #hasEnded = false;

  /** The same pieces. @throws OciError EIF_OCI_LAYER */
  async *watched(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const piece of pieces) {
      this.#see(piece);
      yield piece;
    }
  }

  /** Size of the data of the next entry; undefined where none has been seen. To be asked for once each. */
  nextSize(): number | undefined {
    return this.#sizes.shift();
  }

  #see(piece: Uint8Array): void {
    for (let at = 0; at < piece.length && !this.#hasEnded; ) {
      const left = piece.length - at;
      if (this.#data > 0) {
        const skipped = Math.min(this.#data, left);
        this.#data -= skipped;
        at += skipped;
        continue;
      }
      const taken = Math.min(BLOCK_BYTES - this.#filled, left);
      this.#header.set(piece.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === BLOCK_BYTES) this.#judge();
    }
  }

  #judge(): void {
    this.#filled = 0;
    const header = this.#header;
    if (header.every((byte) => byte === 0)) {
      this.#hasEnded = true;
      return;
    }
    // A size in an extended header counts from 8 GiB on: what was taken for a header then is none.
    if (checksum(header) !== number(header.subarray(CHECKSUM.start, CHECKSUM.end))) {
      throw new OciError(
        'EIF_OCI_LAYER',
        this.#hasBegun
          ? 'a header of the archive is damaged, or a file has 8 GiB or more'
          : 'this is no tar archive, plain or in gzip or zstd',
      );
    }
    this.#hasBegun = true;
    if (TEXTS_AT.some((at) => header.subarray(at, at + BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)))
      throw new OciError('EIF_OCI_LAYER', 'an entry has a name that begins with a byte order mark');
    const type = String.fromCharCode(header[TYPE_AT] ?? 0);
    if (!KNOWN.includes(type)) {
      const name = header.subarray(0, NAME_BYTES).toString('utf8').replace(/\0.*/s, '');
      throw new OciError('EIF_OCI_LAYER', `the entry ${JSON.stringify(name)} is of a type that is not known`, {
        found: type === 'S' ? 'S, a sparse file of GNU tar' : JSON.stringify(type),
        allowed: 'files, folders, links; devices and fifos, which are left out',
      });
    }
    const size = WITHOUT_DATA.includes(type) ? 0 : number(header.subarray(SIZE.start, SIZE.end));
    if (!DESCRIBING.includes(type)) this.#sizes.push(size);
    this.#data = Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < BLOCK_BYTES; at++) sum += at >= CHECKSUM.start && at < CHECKSUM.end ? 0x20 : (header[at] ?? 0);
  return sum;
}

/** Octal digits, or base 256 where the first bit says so. */
function number(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) !== 0) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  const digits = field.toString('latin1').replace(/\0.*/s, '').replaceAll(' ', '');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}
