/** SHA-256 of a file, read in pieces. */
import { createHash } from 'node:crypto';
import { readFilePieces } from '../input-file.ts';

/** Hex. @throws EifError EIF_FILE_READ */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of readFilePieces(path)) hash.update(piece);
  return hash.digest('hex');
}
