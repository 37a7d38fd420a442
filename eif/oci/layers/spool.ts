/**
 * The contents of all files of an image, one after the other in one file: they come in the order of the layers and are wanted in the
 * order of the enclave image. What a later layer replaces stays in it, unread.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { type InputFile, openInputFile, readChunks, readInto } from '../../input-file.ts';
import { OciError } from '../errors.ts';

/** Where the bytes of a file lie in the spool. */
export interface Content {
  readonly start: number;
  readonly size: number;
}

/** Small files are written together. */
const BUFFER_BYTES = 1_048_576;
/** Files of less are read into one buffer: images have tens of thousands of them, and a buffer for each would fill memory. */
const SMALL_BYTES = 262_144;

export class SpoolWriter implements AsyncDisposable {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #filled = 0;
  #written = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** @param path of a file that is not there yet @throws OciError EIF_OCI_SPOOL */
  static async create(path: string): Promise<SpoolWriter> {
    const handle = await open(path, 'wx', 0o600).catch((cause: unknown) => {
      throw new OciError('EIF_OCI_SPOOL', `cannot write ${path}`, { cause });
    });
    return new SpoolWriter(path, handle);
  }

  /** @throws OciError EIF_OCI_SPOOL; what the pieces throw */
  async append(pieces: AsyncIterable<Uint8Array>): Promise<Content> {
    const start = this.#written + this.#filled;
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; ) {
        const taken = Math.min(BUFFER_BYTES - this.#filled, piece.length - at);
        this.#buffer.set(piece.subarray(at, at + taken), this.#filled);
        this.#filled += taken;
        at += taken;
        if (this.#filled === BUFFER_BYTES) await this.flush();
      }
    }
    return { start, size: this.#written + this.#filled - start };
  }

  /** After this, all that was appended can be read. @throws OciError EIF_OCI_SPOOL */
  async flush(): Promise<void> {
    for (let done = 0; done < this.#filled; ) {
      const { bytesWritten } = await this.#handle
        .write(this.#buffer, done, this.#filled - done, this.#written)
        .catch((cause: unknown) => {
          throw new OciError('EIF_OCI_SPOOL', `cannot write ${this.#path}`, { cause });
        });
      done += bytesWritten;
      this.#written += bytesWritten;
    }
    this.#filled = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** Reads what a spool holds. */
export class Spool {
  readonly #path: string;
  /** For small files, one after the other; undefined while it is in use. */
  #buffer: Buffer | undefined = Buffer.allocUnsafe(SMALL_BYTES);

  constructor(path: string) {
    this.#path = path;
  }

  /** In pieces, each valid until the next. @throws EifError EIF_FILE_READ */
  async *pieces({ start, size }: Content): AsyncGenerator<Buffer, void> {
    if (size === 0) return;
    const buffer = size <= SMALL_BYTES ? this.#buffer : undefined;
    if (buffer !== undefined) this.#buffer = undefined;
    const file = await openInputFile(this.#path);
    try {
      if (buffer === undefined) yield* readChunks(file, start, size);
      else yield await readInto(file, buffer.subarray(0, size), start);
    } finally {
      if (buffer !== undefined) this.#buffer = buffer;
      await file.handle.close();
    }
  }

  /** Runs `use` with one file of the image as if it lay by itself. @throws EifError EIF_FILE_READ */
  async withFile<Result>(content: Content, name: string, use: (file: InputFile) => Promise<Result>): Promise<Result> {
    const { handle } = await openInputFile(this.#path);
    try {
      return await use({ path: name, handle, start: content.start, size: content.size });
    } finally {
      await handle.close();
    }
  }
}
