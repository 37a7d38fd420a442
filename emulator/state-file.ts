/**
 * Files that hold the emulators' state. A reader sees the old content or the new, never half of it, and a crash right
 * after a write loses nothing: temporary file, fsync, rename (or link), fsync of the folder. Mode 0600: keys are in there.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../runtime/errors.ts';
import { EmulatorError } from './errors.ts';

/** Writes a file beside `path`, has it put in place, and leaves nothing of it behind, whatever happens. */
async function publish(path: string, content: string, place: (temporary: string) => Promise<void>): Promise<void> {
  await makeStateFolder(dirname(path));
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await place(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function stateError(path: string, cause: unknown): EmulatorError {
  return new EmulatorError('EMULATOR_STATE', `cannot use the state file ${path}`, { cause });
}

/** Replaces the file in one step. @throws EmulatorError EMULATOR_STATE */
export async function writeAtomically(path: string, content: string): Promise<void> {
  try {
    await publish(path, content, (temporary) => rename(temporary, path));
  } catch (error) {
    throw stateError(path, error);
  }
}

/**
 * Writes the file unless it exists, and returns what it holds then: of several processes that start together, all get
 * what the first one wrote.
 * @throws EmulatorError EMULATOR_STATE
 */
export async function createOnce(path: string, make: () => string | Promise<string>): Promise<string> {
  const existing = await readIfPresent(path);
  if (existing !== undefined) return existing;
  try {
    await publish(path, await make(), (temporary) => linkUnlessPresent(temporary, path));
    return await readFile(path, 'utf8');
  } catch (error) {
    throw stateError(path, error);
  }
}

async function linkUnlessPresent(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** @throws EmulatorError EMULATOR_STATE when the file exists and cannot be read. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw stateError(path, error);
  }
}

/** JSON text of a state file. @throws EmulatorError EMULATOR_STATE */
export function parseState<Shape>(path: string, text: string, schema: { parse(value: unknown): Shape }): Shape {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw stateError(path, error);
  }
}

/** Makes the folder and its parents, for their owner alone. */
export async function makeStateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}
