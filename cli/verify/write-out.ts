/** `--out`: what was verified, for archives and for clients. Written only when every demanded claim passed, over nobody else's files. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeOutputFile } from '../../eif/output-file.ts';
import { errorCode } from '../../runtime/errors.ts';
import { CliError } from '../errors.ts';
import type { Fetched } from './fetched.ts';
import type { Pin } from './pin.ts';

const REPORT = 'report.json';
const NAMES: readonly string[] = ['attestation.cose', 'statement.json', REPORT, 'ca.pem'];
/** In `report.json`, by which a folder of ours is known. */
const WRITTEN_BY = 'acra-enclave verify';
const MAX_REPORT_BYTES = 1_048_576;

async function isOurs(folder: string): Promise<boolean> {
  try {
    const bytes = await readFile(join(folder, REPORT));
    return bytes.length <= MAX_REPORT_BYTES && JSON.parse(bytes.toString('utf8'))?.writtenBy === WRITTEN_BY;
  } catch {
    return false;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return [];
    throw new CliError('CLI_VERIFY_FILE', `cannot write into ${folder}`, { cause });
  }
}

/** Before anybody is asked. @throws CliError CLI_VERIFY_FILE */
export async function requireWritable(folder: string): Promise<void> {
  const taken = (await namesIn(resolve(folder))).filter((name) => NAMES.includes(name));
  if (taken.length === 0 || (await isOurs(resolve(folder)))) return;
  throw new CliError('CLI_VERIFY_FILE', `${folder} holds files that this command did not write`, {
    found: taken.join(', '),
    allowed: 'a new folder, or one of an earlier run',
  });
}

/**
 * @param pin what becomes `ca.pem`
 * @param report what `--json` prints
 * @throws CliError CLI_VERIFY_FILE
 */
export async function writeOut(
  folder: string,
  { document, statement }: Pick<Fetched, 'document' | 'statement'>,
  pin: Pin,
  report: object,
): Promise<void> {
  await requireWritable(folder);
  const json = `${JSON.stringify({ writtenBy: WRITTEN_BY, ...report }, null, 2)}\n`;
  const files: (readonly [string, Uint8Array])[] = [
    [REPORT, Buffer.from(json)],
    ['attestation.cose', document],
    ...(statement === undefined ? [] : [['statement.json', statement] as const]),
    ...('pem' in pin ? [['ca.pem', Buffer.from(pin.pem)] as const] : []),
  ];
  try {
    await mkdir(resolve(folder), { recursive: true });
    for (const [name, bytes] of files) {
      await writeOutputFile(join(resolve(folder), name), (file) => file.write(bytes, 0));
    }
  } catch (cause) {
    throw new CliError('CLI_VERIFY_FILE', `cannot write into ${folder}`, { cause });
  }
}
