/** What the enclave image says of itself, for checks; its text is made harmless, for anybody may have written it. */
import type { ImageFacts } from '../../eif/image-facts.ts';
import { readImageFacts } from '../../eif/image-facts.ts';
import { harmlessText } from '../../runtime/harmless-text.ts';
import type { CheckContext } from './check.ts';

export const NO_FACTS = 'there is no `enclave.run`, or its image does not say';

/** Undefined without `enclave.run`, and for an image of another tool or one that cannot be read. */
export function factsOfImage({ config, system }: CheckContext): ImageFacts | undefined {
  const image = config.enclave.run?.image;
  const bytes = image === undefined ? undefined : system.status(image)?.bytes;
  if (image === undefined || bytes === undefined) return undefined;
  const facts = readImageFacts((offset, length) => system.readRange(image, offset, length), bytes);
  return (
    facts && {
      ...facts,
      certificateEnds: facts.certificateEnds.map((end) => ({ ...end, subject: harmlessText(end.subject) })),
    }
  );
}
