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
      ...diffText('cmdline', a.cmdline, b.cmdline),
      ...diffMetadata(a.metadata, b.metadata),
      ...(await diffRamdisks(
        { file: fileA, sections: ofKind(a, 'ramdisk') },
        { file: fileB, sections: ofKind(b, 'ramdisk') },
      )),
      ...compareFields({ section: 'signature' }, digestField(a.signature), digestField(b.signature)),
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
  const fields = compareFields({ section: 'metadata' }, metadataFields(a), metadataFields(b));
  return fields.length > 0 ? fields : diffText('metadata', a, b);
}

/** Bytes that are no UTF-8 may look the same as text: their digests tell them apart. */
function diffText(section: string, a: Buffer, b: Buffer): readonly Difference[] {
  const text = compareFields({ section }, { text: a.toString() }, { text: b.toString() });
  return text.length > 0 ? text : compareFields({ section }, digestField(a), digestField(b));
}

function digestField(bytes: Buffer | undefined): Fields {
  return bytes === undefined ? {} : { sha256: createHash('sha256').update(bytes).digest('hex') };
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
