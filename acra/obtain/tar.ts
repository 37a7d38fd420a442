/**
 * Strict reader of ustar archives (POSIX.1-1988) with the extensions that container tools write: pax headers for long
 * paths and GNU long names. Works on a Buffer that is known to be small enough; hands out views, copies nothing.
 */
import { AcraError } from '../errors.ts';

export interface TarEntry {
  readonly type: 'file' | 'folder' | 'symlink' | 'hardlink';
  readonly path: string;
  /** Of links; empty otherwise. */
  readonly target: string;
  readonly mode: number;
  readonly content: Buffer;
}

const BLOCK_BYTES = 512;
const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

const TYPES: ReadonlyMap<string, TarEntry['type']> = new Map([
  ['0', 'file'],
  ['\0', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['5', 'folder'],
]);

function invalid(message: string): AcraError {
  return new AcraError('ACRA_IMAGE_INVALID', `the archive of a layer is invalid: ${message}`);
}

function text(block: Buffer, at: number, bytes: number): string {
  const field = block.subarray(at, at + bytes);
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? bytes : end).toString('utf8');
}

function octal(block: Buffer, at: number, bytes: number): number {
  const digits = text(block, at, bytes).trim();
  if (!/^[0-7]{0,11}$/.test(digits)) throw invalid('a number is not octal');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** Sum of all bytes of the header, those of the checksum itself counted as spaces. */
function checkChecksum(block: Buffer): void {
  const field = block.subarray(CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES);
  const sum = block.reduce((total, byte) => total + byte, 0) - field.reduce((total, byte) => total + byte, 0);
  if (sum + CHECKSUM_BYTES * 0x20 !== octal(block, CHECKSUM_AT, CHECKSUM_BYTES)) throw invalid('wrong checksum');
}

/** `length key=value\n` records, the length counting itself. */
function parsePax(content: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const length = /^(\d{1,7}) /.exec(content.subarray(at, at + 8).toString('latin1'))?.[1];
    const end = at + Number(length);
    if (length === undefined || end > content.length || content[end - 1] !== 0x0a) throw invalid('bad pax header');
    const record = content.subarray(at + length.length + 1, end - 1).toString('utf8');
    const equals = record.indexOf('=');
    if (equals < 1) throw invalid('bad pax header');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

/** What earlier headers say about the next entry. */
class Overrides {
  path: string | undefined;
  target: string | undefined;

  /** Whether the header was one of these; it then describes its successor instead of a file. */
  read(type: string, content: Buffer): boolean {
    if (type === 'g') return true;
    if (type === 'L') this.path = content.toString('utf8').replace(/\0.*$/s, '');
    else if (type === 'K') this.target = content.toString('utf8').replace(/\0.*$/s, '');
    else if (type === 'x') this.#readPax(parsePax(content));
    else return false;
    return true;
  }

  #readPax(records: ReadonlyMap<string, string>): void {
    if (records.has('size')) throw invalid('an entry is too large');
    this.path = records.get('path') ?? this.path;
    this.target = records.get('linkpath') ?? this.target;
  }
}

function headerPath(block: Buffer): string {
  const magic = block.subarray(257, 265).toString('latin1');
  if (!magic.startsWith('ustar')) throw invalid('no ustar header');
  const prefix = magic.startsWith('ustar\0') ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Entries in their order. @throws AcraError ACRA_IMAGE_INVALID, also for devices and other kinds of entries */
export function* readTar(archive: Buffer): Generator<TarEntry> {
  let overrides = new Overrides();
  for (let at = 0; at < archive.length; ) {
    const block = archive.subarray(at, at + BLOCK_BYTES);
    if (block.length < BLOCK_BYTES) throw invalid('it ends inside a header');
    if (block.every((byte) => byte === 0)) return;
    checkChecksum(block);
    const size = octal(block, 124, 12);
    const contentEnd = at + BLOCK_BYTES + size;
    if (contentEnd > archive.length) throw invalid('it ends inside a file');
    const content = archive.subarray(at + BLOCK_BYTES, contentEnd);
    at = contentEnd + ((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);

    const flag = String.fromCharCode(block[156] ?? 0);
    if (overrides.read(flag, content)) continue;
    const type = TYPES.get(flag);
    if (type === undefined) throw invalid(`an entry of type ${JSON.stringify(flag)} has no place in it`);
    const path = overrides.path ?? headerPath(block);
    const target = overrides.target ?? text(block, 157, 100);
    yield { type, path, target, mode: octal(block, 100, 8), content };
    overrides = new Overrides();
  }
}
