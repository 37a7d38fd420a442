/**
 * Compression of ramdisks. zstd is the default: for one library version its output depends on the level alone. Deflate in
 * Node's zlib has code paths by processor, so gzip is for kernels that cannot unpack zstd. Headers hold no time and no name.
 * Versions are pinned with Node.
 */
import type { Transform } from 'node:stream';
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { CodedError } from '../runtime/errors.ts';
import { CpioError } from './errors.ts';
import type { ByteSource } from './format/writer.ts';

export type Compression = 'none' | 'gzip' | 'zstd';
/** zstd alone has levels that are worth a choice: 1 (fast) to 19 (small). */
export type CompressionChoice = Compression | { readonly zstd: number };

const GZIP_LEVEL = 9;
/** With the tables below, level 19 takes a quarter longer and saves 0.3 % of an image with Node in it. */
const DEFAULT_ZSTD_LEVEL = 18;
/**
 * Table sizes as powers of two: they keep a build under 150 MB of memory, and the kernel's unpacking at an 8 MiB window. One
 * thread: Node's stream ends too early when zstd has workers (nodejs/node issue 59899).
 */
export const ZSTD_TABLES = { windowLog: 23, chainLog: 20, hashLog: 19 };
/** Room for four pieces of output, so that compression goes on while the reader hashes and writes. */
const STREAM = { chunkSize: 262_144, readableHighWaterMark: 1_048_576 };

const GZIP_MAGIC = Buffer.from('1f8b', 'hex');
const ZSTD_MAGIC = Buffer.from('28b52ffd', 'hex');

/** The compressed bytes in pieces; they do not depend on how the source cuts its own. */
export function compress(source: ByteSource, choice: CompressionChoice): ByteSource {
  if (choice === 'none') return source;
  const level = zstdLevel(choice);
  return through(source, level === undefined ? gzip() : zstd(level));
}

export function compressionKind(choice: CompressionChoice): Compression {
  return typeof choice === 'string' ? choice : 'zstd';
}

/** Undefined for anything but zstd. */
export function zstdLevel(choice: CompressionChoice): number | undefined {
  if (typeof choice !== 'string') return choice.zstd;
  return choice === 'zstd' ? DEFAULT_ZSTD_LEVEL : undefined;
}

function gzip(): Transform {
  return createGzip({ level: GZIP_LEVEL, ...STREAM });
}

function zstd(level: number): Transform {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_windowLog]: ZSTD_TABLES.windowLog,
    [constants.ZSTD_c_chainLog]: ZSTD_TABLES.chainLog,
    [constants.ZSTD_c_hashLog]: ZSTD_TABLES.hashLog,
  };
  return createZstdCompress({ ...STREAM, params });
}

/** What the first bytes of a ramdisk say. */
export function detectCompression(start: Uint8Array): Compression {
  const startsWith = (magic: Buffer): boolean => magic.equals(start.subarray(0, magic.length));
  if (startsWith(GZIP_MAGIC)) return 'gzip';
  return startsWith(ZSTD_MAGIC) ? 'zstd' : 'none';
}

/**
 * Unpacks a ramdisk of any kind that `compress` makes. What comes out is bounded by whoever reads it.
 * @throws CpioError CPIO_COMPRESSION
 */
export async function* decompress(source: ByteSource, compression: Compression): AsyncGenerator<Uint8Array, void> {
  if (compression === 'none') {
    yield* source;
    return;
  }
  const transform = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  try {
    yield* through(source, transform);
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CpioError('CPIO_COMPRESSION', `the ${compression} data cannot be unpacked`, { cause });
  }
}

/** Errors of the source come out here too; a consumer that stops early ends the source. */
async function* through(source: ByteSource, transform: Transform): AsyncGenerator<Uint8Array, void> {
  const feeding = feed(source, transform);
  try {
    yield* transform as AsyncIterable<Uint8Array>;
  } finally {
    transform.destroy();
    await feeding;
  }
}

/** One piece at a time, for sources reuse their buffers. Never rejects: the error goes the way of the data. */
async function feed(source: ByteSource, transform: Transform): Promise<void> {
  try {
    for await (const piece of source) if (piece.length > 0) await write(transform, piece);
    transform.end();
  } catch (error) {
    transform.destroy(
      error instanceof Error ? error : new CpioError('CPIO_COMPRESSION', 'the source failed', { cause: error }),
    );
  }
}

/** A stream that failed closes without answering the write that is under way. */
function write(transform: Transform, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new CpioError('CPIO_COMPRESSION', 'the stream was closed'));
    transform.once('close', onClose);
    transform.write(piece, (error) => {
      transform.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}
