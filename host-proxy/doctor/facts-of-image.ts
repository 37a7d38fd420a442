/** What the enclave image says of itself, for checks; its text is made harmless, for anybody may have written it. */
import type { ImageFacts } from '../../eif/image-facts.ts';
import { type ReadRange, readImageFacts, readImageKernel } from '../../eif/image-facts.ts';
import { harmlessText } from '../../runtime/harmless-text.ts';
import type { CheckContext } from './check.ts';

export const NO_FACTS = 'there is no `enclave.run`, or its image does not say';

function ofImage<Told>(
  { config, system }: CheckContext,
  reader: (read: ReadRange, fileSize: number) => Told | undefined,
): Told | undefined {
  const image = config.enclave.run?.image;
  const bytes = image === undefined ? undefined : system.status(image)?.bytes;
  if (image === undefined || bytes === undefined) return undefined;
  return reader((offset, length) => system.readRange(image, offset, length), bytes);
}

/** Undefined without `enclave.run`, and for an image of another tool or one that cannot be read. */
export function factsOfImage(context: CheckContext): ImageFacts | undefined {
  const facts = ofImage(context, readImageFacts);
  return (
    facts && {
      ...facts,
      certificateEnds: facts.certificateEnds.map((end) => ({ ...end, subject: harmlessText(end.subject) })),
    }
  );
}

/** The kernel's version, of any tool's image; undefined where there is none, or it cannot be read. */
export function kernelOfImage(context: CheckContext): string | undefined {
  return ofImage(context, readImageKernel);
}
