/** Takes an image apart into a folder of its sections and a manifest, and puts such a folder together again. */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EifError } from './errors.ts';
import { MAX_CMDLINE_BYTES, MAX_METADATA_BYTES, MAX_SIGNATURE_BYTES } from './format/constants.ts';
import { type EifImage, readEif, sectionData } from './format/reader.ts';
import type { EifSection } from './format/section.ts';
import { type WrittenEif, writeEif } from './format/writer.ts';
import { encodeManifest, MANIFEST_NAME, readManifest } from './image-manifest.ts';
import { type InputFile, readFilePieces, readSmallFile, withInputFile } from './input-file.ts';
import { writeOutputFile } from './output-file.ts';
import { verifySignatureSection } from './sign/signature.ts';

const SECTION_FILE = { kernel: 'kernel', cmdline: 'cmdline', metadata: 'metadata.json', signature: 'signature.cbor' };

/**
 * Checks the image and writes its sections and `manifest.json` to `folder`, which must not exist; nothing is left when
 * anything fails.
 * @throws EifError EIF_OUTPUT_EXISTS, EIF_FILE_WRITE, and those of readEif
 */
export async function extractImage(path: string, folder: string, signal?: AbortSignal): Promise<EifImage> {
  if (await exists(folder)) throw new EifError('EIF_OUTPUT_EXISTS', `${folder} exists already`);
  const image = await readEif(path, signal);
  const temporary = `${folder}.${randomBytes(6).toString('hex')}.partial`;
  try {
    await mkdir(temporary).catch(unwritable(folder));
    await withInputFile(path, (file) => writeSections(file, image, temporary, signal));
    await rename(temporary, folder).catch(unwritable(folder));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  return image;
}

/**
 * Builds an image from a manifest. A signature that the manifest names goes in as it is, if it signs this very image.
 * @throws EifError EIF_MANIFEST_INVALID, EIF_FILE_READ, EIF_SIGNATURE_PCR0 and what else verifySignatureSection and
 * writeEif throw
 */
export async function buildFromManifest(path: string, output: string, signal?: AbortSignal): Promise<WrittenEif> {
  const manifest = await readManifest(path);
  const at = (name: string): string => join(dirname(path), name);
  const { signature } = manifest;
  const section = signature === undefined ? undefined : await readSmallFile(at(signature), MAX_SIGNATURE_BYTES);
  const content = {
    architecture: manifest.architecture,
    defaultMemBytes: manifest.defaultMemBytes,
    defaultCpus: manifest.defaultCpus,
    kernel: readFilePieces(at(manifest.kernel)),
    cmdline: await readSmallFile(at(manifest.cmdline), MAX_CMDLINE_BYTES),
    metadata: await readSmallFile(at(manifest.metadata), MAX_METADATA_BYTES),
    ramdisks: manifest.ramdisks.map((name) => readFilePieces(at(name))),
    ...(section === undefined ? {} : { sign: (pcr0: Buffer) => attached(section, pcr0) }),
  };
  return writeEif(output, content, signal);
}

function attached(section: Buffer, pcr0: Buffer): Buffer {
  verifySignatureSection(section, pcr0);
  return section;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function unwritable(folder: string): (cause: unknown) => never {
  return (cause) => {
    throw new EifError('EIF_FILE_WRITE', `cannot write to ${folder}`, { cause });
  };
}

async function writeSections(file: InputFile, image: EifImage, folder: string, signal?: AbortSignal): Promise<void> {
  const ramdisks: string[] = [];
  for (const section of image.sections) {
    const name = section.kind === 'ramdisk' ? `ramdisk-${ramdisks.length}` : SECTION_FILE[section.kind];
    if (section.kind === 'ramdisk') ramdisks.push(name);
    await writeSection(file, section, join(folder, name), signal);
  }
  const { architecture, defaultMemBytes, defaultCpus } = image.header;
  const { signature, ...mandatory } = SECTION_FILE;
  const manifest = encodeManifest({
    architecture,
    defaultMemBytes,
    defaultCpus,
    ...mandatory,
    ramdisks,
    ...(image.signature === undefined ? {} : { signature }),
  });
  await writeOutputFile(join(folder, MANIFEST_NAME), (out) => out.write(Buffer.from(manifest), 0));
}

async function writeSection(file: InputFile, section: EifSection, path: string, signal?: AbortSignal): Promise<void> {
  await writeOutputFile(path, async (out) => {
    let position = 0;
    for await (const chunk of sectionData(file, section)) {
      signal?.throwIfAborted();
      await out.write(chunk, position);
      position += chunk.length;
    }
  });
}
