/** Reads answers of KMS into memory up to a limit: the SDK itself would read on for as long as bytes come. */
import { KmsError } from './errors.ts';

/** A data key's answer, the longest: 4112 + 6144 bytes in base64, and an envelope's overhead. */
const MAX_ANSWER_BYTES = 32 * 1024;

/** @throws KmsError KMS_RESPONSE_TOO_LARGE; errors of the stream */
export async function collectAnswer(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) {
      throw new KmsError('KMS_RESPONSE_TOO_LARGE', 'the answer of KMS is too long', {
        allowed: `${MAX_ANSWER_BYTES} bytes`,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
