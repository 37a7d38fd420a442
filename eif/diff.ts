/**
 * Tells two images apart in the terms of what is in them: header, command line, metadata, and for ramdisks the very file,
 * mode or owner that differs.
 */
import { createHash } from 'node:crypto';
import { diffRamdisks } from './diff-ramdisk.ts';
import { compareFields, type Difference, type Fields } from './difference.ts';
import { type EifImage, readEif, sectionData } from './format/reader.ts';
import type { EifSection, SectionKind } from './format/section.ts';
import { type InputFile, withInputFile } from './input-file.ts';

/**
 * An empty list means that the files are equal to the bit.
 * @throws EifError those of readEif, for either image
 */
export async function diffImages(pathA: string, pathB: string): Promise<readonly Difference[]> {
  const a = await readEif(pathA);
  const b = await readEif(pathB);
  return withInputFile(pathA, (fileA) =>
    withInputFile(pathB, async (fileB) => [
      ...compareFields({ section: 'header' }, headerFields(a), headerFields(b)),
      ...compareFields({ section: 'kernel' }, await kernelFields(fileA, a), await kernelFields(fileB, b)),
      ...compareFields({ section: 'cmdline' }, { text: a.cmdline.toString() }, { text: b.cmdline.toString() }),
      ...diffMetadata(a.metadata, b.metadata),
      ...(await diffRamdisks(
        { file: fileA, sections: ofKind(a, 'ramdisk') },
        { file: fileB, sections: ofKind(b, 'ramdisk') },
      )),
      ...compareFields({ section: 'signature' }, signatureFields(a), signatureFields(b)),
    ]),
  );
}

function ofKind(image: EifImage, kind: SectionKind): readonly EifSection[] {
  return image.sections.filter((section) => section.kind === kind);
}

function headerFields({ header }: EifImage): Fields {
  const { architecture, defaultMemBytes, defaultCpus } = header;
  return { architecture, defaultMemBytes: String(defaultMemBytes), defaultCpus: String(defaultCpus) };
}

async function kernelFields(file: InputFile, image: EifImage): Promise<Fields> {
  const hash = createHash('sha256');
  let size = 0;
  for (const section of ofKind(image, 'kernel')) {
    for await (const chunk of sectionData(file, section)) {
      hash.update(chunk);
      size += chunk.length;
    }
  }
  return { size: String(size), sha256: hash.digest('hex') };
}

/** Value by value; where the values agree, white space or key order must differ. */
function diffMetadata(a: Buffer, b: Buffer): readonly Difference[] {
  const place = { section: 'metadata' };
  const fields = compareFields(place, metadataFields(a), metadataFields(b));
  return fields.length > 0 ? fields : compareFields(place, { text: a.toString() }, { text: b.toString() });
}

function metadataFields(bytes: Buffer): Fields {
  try {
    return Object.fromEntries(leaves('', JSON.parse(bytes.toString())));
  } catch {
    return { text: bytes.toString() };
  }
}

function leaves(path: string, value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(path === '' ? key : `${path}.${key}`, inner));
}

function signatureFields({ signature }: EifImage): Fields {
  return signature === undefined ? {} : { sha256: createHash('sha256').update(signature).digest('hex') };
}
