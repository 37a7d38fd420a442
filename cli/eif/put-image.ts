/**
 * Puts an image in its place without making what a build left beside it false: when measurements.json there names the file,
 * it must measure the same contents, and then takes over what the signature changed.
 */
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EifError } from '../../eif/errors.ts';
import type { WrittenEif } from '../../eif/format/writer.ts';
import { describedImage, MEASUREMENTS_NAME, withSignature } from '../../eif/image/measurements.ts';
import { writeTogether } from '../../eif/image/outputs.ts';
import { readSmallFile } from '../../eif/input-file.ts';
import { verifyImage } from '../../eif/verify.ts';
import { errorCode } from '../../runtime/errors.ts';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { CliError } from '../errors.ts';

const MAX_MEASUREMENTS_BYTES = 1_048_576;

interface PutImage {
  readonly written: WrittenEif;
  /** The measurements.json that changed with the image. */
  readonly remeasured: string | undefined;
}

/**
 * @param write puts the image at the path that it is given
 * @throws CliError CLI_OPTION when measurements.json describes an image of this name with other contents; what `write` and
 * writeTogether throw. The image and what lies beside it are then as they were.
 */
export async function putImage(output: string, write: (path: string) => Promise<WrittenEif>): Promise<PutImage> {
  const [folder, name] = [dirname(output), basename(output)];
  const file = join(folder, MEASUREMENTS_NAME);
  const measurements = await readIfThere(file);
  if (measurements === undefined || describedImage(measurements) !== name) {
    return { written: await write(output), remeasured: undefined };
  }
  const written = await writeTogether(folder, [name, MEASUREMENTS_NAME], async (workFolder) => {
    const path = join(workFolder, name);
    const result = await write(path);
    await writeFile(join(workFolder, MEASUREMENTS_NAME), await remeasure(path, measurements, file));
    return result;
  });
  return { written, remeasured: file };
}

async function remeasure(path: string, measurements: string, file: string): Promise<string> {
  const { image, pcrs } = await verifyImage(path, Date.now());
  const text = withSignature(measurements, {
    pcrs,
    bytes: image.fileSize,
    sha256: await sha256OfFile(path),
    isSigned: image.signature !== undefined,
  });
  if (text !== undefined) return text;
  throw new CliError('CLI_OPTION', `${file} describes an image with other contents`, {
    found: `PCR0 ${pcrs.PCR0}`,
    allowed: 'the image that it describes, or a folder without it',
    action: 'Find out where the image came from; write to another folder, or remove the files of the other build.',
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readSmallFile(path, MAX_MEASUREMENTS_BYTES)).toString();
  } catch (error) {
    if (error instanceof EifError && errorCode(error.cause) === 'ENOENT') return undefined;
    throw error;
  }
}
