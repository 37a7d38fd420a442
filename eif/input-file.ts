/**
 * Reads regular files for this folder: whole when small, else in large pieces with the next one on its way while the caller
 * works on the last. Two buffers, whatever the length, so that images of any size pass in constant memory.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { EifError } from './errors.ts';

const CHUNK_BYTES = 262_144;
/** A named pipe would be waited for otherwise, before anybody can see what it is. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

export interface InputFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Where it begins in what was opened; 0 unless it is a part of that. */
  readonly start?: number;
  /** Bytes, when it was opened. */
  readonly size: number;
}

function unreadable(path: string, cause: unknown): EifError {
  return new EifError('EIF_FILE_READ', `cannot read ${path}`, { cause });
}

/** @throws EifError EIF_FILE_READ */
export async function openInputFile(path: string): Promise<InputFile> {
  const handle = await open(path, OPEN_FLAGS).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const stat = await handle.stat();
  if (stat.isFile()) return { path, handle, size: stat.size };
  await handle.close();
  throw new EifError('EIF_FILE_READ', `cannot read ${path}`, { found: 'not a regular file', allowed: 'a file' });
}

/**
 * Runs `use` with the opened file and closes it whatever happens.
 * @throws EifError EIF_FILE_READ
 */
export async function withInputFile<Result>(path: string, use: (file: InputFile) => Promise<Result>): Promise<Result> {
  const file = await openInputFile(path);
  try {
    return await use(file);
  } finally {
    await file.handle.close();
  }
}

/** Fewer bytes than asked for only where the file ends. @throws EifError EIF_FILE_READ */
export async function readInto(file: InputFile, buffer: Buffer, position: number): Promise<Buffer> {
  const from = (file.start ?? 0) + position;
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.handle
      .read(buffer, filled, buffer.length - filled, from + filled)
      .catch((cause: unknown) => {
        throw unreadable(file.path, cause);
      });
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/**
 * A range that the caller has bounded, in one buffer; shorter where the file ends early.
 * @throws EifError EIF_FILE_READ
 */
export async function readRange(file: InputFile, start: number, length: number): Promise<Buffer> {
  return readInto(file, Buffer.alloc(length), start);
}

/**
 * Yields the bytes from `start` to `start + length`, or fewer where the file ends early; the caller counts.
 * A chunk is valid until the next one is asked for.
 * @throws EifError EIF_FILE_READ
 */
export async function* readChunks(file: InputFile, start: number, length: number): AsyncGenerator<Buffer, void> {
  const end = start + length;
  const size = Math.min(CHUNK_BYTES, length);
  const buffers: [Buffer, Buffer] = [Buffer.allocUnsafe(size), Buffer.allocUnsafe(size)];
  let position = start;
  const readNext = (): Promise<Buffer> => {
    buffers.reverse();
    const reading = readInto(file, buffers[0].subarray(0, end - position), position);
    // It may fail while the caller still works on the last chunk; whoever awaits it next gets the error.
    reading.catch(() => undefined);
    return reading;
  };
  let pending = readNext();
  try {
    for (;;) {
      const chunk = await pending;
      if (chunk.length === 0) return;
      position += chunk.length;
      pending = readNext();
      yield chunk;
    }
  } finally {
    await pending.catch(() => undefined);
  }
}

/**
 * A whole file in pieces, each valid until the next one is asked for.
 * @throws EifError EIF_FILE_READ
 */
export async function* readFilePieces(path: string): AsyncGenerator<Buffer, void> {
  const file = await openInputFile(path);
  try {
    yield* readChunks(file, 0, file.size);
  } finally {
    await file.handle.close();
  }
}

/**
 * A small file as a whole.
 * @throws EifError EIF_FILE_READ, also when it has more than `maxBytes`
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<Buffer> {
  return withInputFile(path, async (file) => {
    if (file.size > maxBytes) {
      throw new EifError('EIF_FILE_READ', `${path} is too large`, {
        found: `${file.size} bytes`,
        allowed: `at most ${maxBytes} bytes`,
      });
    }
    return readRange(file, 0, file.size);
  });
}
