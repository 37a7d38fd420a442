/** Secrets of tests, and every choice of some of them. */
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';

export function secretOf(bytes: Buffer): SecretBuffer {
  return SecretBuffer.take(Buffer.from(bytes));
}

export function bytesOf(secret: SecretBuffer): Buffer {
  return secret.use((bytes) => Buffer.from(bytes));
}

/** All of that many elements. */
export function subsets<Element>(elements: readonly Element[], count: number): Element[][] {
  if (count === 0) return [[]];
  return elements.flatMap((first, index) =>
    subsets(elements.slice(index + 1), count - 1).map((rest) => [first, ...rest]),
  );
}
