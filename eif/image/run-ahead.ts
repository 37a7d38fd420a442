/**
 * Compresses a ramdisk ahead of its turn: the format has one place for it, which is known only when the ramdisk before it is
 * done, so what is ready waits in a file. Each of two ramdisks has a processor to itself that way.
 */
import type { ByteSource } from '../format/writer.ts';
import { readFilePieces } from '../input-file.ts';
import { writeOutputFile } from '../output-file.ts';

export interface RunAhead extends AsyncDisposable {
  /** The same bytes, when all are there; to be read once. */
  readonly pieces: ByteSource;
  /** Aborted, with its error as the reason, as soon as the source fails. */
  readonly failed: AbortSignal;
}

/**
 * Starts at once. Disposing ends what still runs; the file stays for whoever removes its folder.
 * @param path of the file that the bytes wait in
 */
export function runAhead(source: ByteSource, path: string, signal: AbortSignal): RunAhead {
  const [stop, failure] = [new AbortController(), new AbortController()];
  const writing = writeOutputFile(path, async (file) => {
    let position = 0;
    for await (const piece of source) {
      signal.throwIfAborted();
      stop.signal.throwIfAborted();
      await file.write(piece, position);
      position += piece.length;
    }
  });
  writing.catch((error: unknown) => failure.abort(error));
  async function* pieces(): AsyncGenerator<Buffer, void> {
    await writing;
    yield* readFilePieces(path);
  }
  return {
    pieces: pieces(),
    failed: failure.signal,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await writing.catch(() => undefined);
    },
  };
}
