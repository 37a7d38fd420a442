/** Parts of an image that lie in files: read with their digests checked, whole when they are small, else as they stream by. */
import { createHash } from 'node:crypto';
import { EifError } from '../../errors.ts';
import { readFilePieces, readSmallFile } from '../../input-file.ts';
import { OciError } from '../errors.ts';
import { digestOf } from './documents.ts';

export interface Blob {
  /** Of its file. */
  readonly path: string;
  /** `sha256:…`; undefined where the form of the image has none for it. */
  readonly digest: string | undefined;
  /** Bytes, where it is said beforehand. */
  readonly size: number | undefined;
}

function unreadable(error: unknown): unknown {
  if (!(error instanceof EifError)) return error;
  const { message, found, allowed, cause } = error;
  return new OciError('EIF_OCI_READ', message, {
    ...(found === undefined ? {} : { found }),
    ...(allowed === undefined ? {} : { allowed }),
    cause,
  });
}

function different({ path, digest, size }: Blob, found: string, bytes: number): OciError {
  return new OciError('EIF_OCI_DIGEST', `${path} is not what the image names`, {
    found: `${found}, ${bytes} bytes`,
    allowed: [digest, size === undefined ? undefined : `${size} bytes`].filter(Boolean).join(', '),
  });
}

/** @throws OciError EIF_OCI_READ, EIF_OCI_DIGEST */
export async function readBlob(blob: Blob, maxBytes: number): Promise<Buffer> {
  const bytes = await readSmallFile(blob.path, maxBytes).catch((error: unknown) => {
    throw unreadable(error);
  });
  const found = digestOf(bytes);
  if ((blob.digest ?? found) !== found || (blob.size ?? bytes.length) !== bytes.length)
    throw different(blob, found, bytes.length);
  return bytes;
}

export interface CheckedPieces {
  /** Each valid until the next; to be read once. Ends with EIF_OCI_DIGEST when the bytes are others. */
  readonly pieces: AsyncIterable<Buffer>;
  /** Whether all of it was read and is what it should be. */
  isChecked(): boolean;
}

/** @throws OciError EIF_OCI_READ, EIF_OCI_DIGEST when the pieces are read */
export function checkedPieces(blob: Blob): CheckedPieces {
  let checked = false;
  async function* pieces(): AsyncGenerator<Buffer, void> {
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      for await (const piece of readFilePieces(blob.path)) {
        hash.update(piece);
        bytes += piece.length;
        yield piece;
      }
    } catch (error) {
      throw unreadable(error);
    }
    const found = `sha256:${hash.digest('hex')}`;
    if ((blob.digest ?? found) !== found || (blob.size ?? bytes) !== bytes) throw different(blob, found, bytes);
    checked = true;
  }
  return { pieces: pieces(), isChecked: () => checked };
}
