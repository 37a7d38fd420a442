/**
 * Preloaded into a program (`node --import`): ends it by SIGKILL right before one of its steps on the disk below a folder, or in the middle of
 * a write. What was done before stays done, as in a crash; no step is left out because somebody forgot to name it.
 *
 *   KILL_UNDER  how the paths begin    KILL_AT  a step, by number from 0, or by name the first of it; absent: none
 *   KILL_STEPS  file that each step is named in
 */
import fs from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { env, kill, pid } from 'node:process';

const { KILL_UNDER: under = '/nonexistent', KILL_AT: at, KILL_STEPS: stepsFile } = env;
const { appendFileSync, fsyncSync } = fs;
let steps = 0;

function step(name: string): void {
  if (stepsFile !== undefined) appendFileSync(stepsFile, `${name}\n`);
  if (String(steps) === at || name === at) kill(pid, 'SIGKILL');
  steps += 1;
}

/** Names of its own that are random would make another table each time. */
const shortName = (path: unknown) => basename(String(path)).replace(/[0-9a-f]{12,16}/g, '…');
const isBelow = (path: unknown) => String(path).startsWith(under);

function counted<Result>(name: string, change: (...given: unknown[]) => Result) {
  return (...given: unknown[]): Result => {
    const paths = given.filter((each) => typeof each === 'string');
    if (isBelow(paths[0])) step(`${name} ${paths.map(shortName).join(' to ')}`);
    return change(...given);
  };
}

function watch(handle: FileHandle, name: string): FileHandle {
  const { writeFile, sync, truncate } = handle;
  handle.writeFile = async (data) => {
    const bytes = data as Buffer;
    const half = bytes.length >> 1;
    step(`write ${name}`);
    await writeFile.call(handle, bytes.subarray(0, half));
    step(`write the other half of ${name}`);
    await writeFile.call(handle, bytes.subarray(half));
  };
  handle.sync = async () => {
    step(`flush ${name}`);
    await sync.call(handle);
  };
  handle.truncate = async (length) => {
    step(`truncate ${name}`);
    await truncate.call(handle, length);
  };
  return handle;
}

const { open } = promises;
promises.open = async (path, flags, ...rest) => {
  if (!isBelow(path)) return await open(path, flags, ...rest);
  if (flags !== 'r') step(`open ${shortName(path)}`);
  return watch(await open(path, flags, ...rest), shortName(path));
};
for (const name of ['mkdir', 'rename', 'rm', 'chmod'] as const)
  Reflect.set(promises, name, counted(name, promises[name] as never));
fs.rmSync = counted('rm', fs.rmSync as never);
// Of any folder: a descriptor does not tell.
fs.fsyncSync = (descriptor) => {
  step('flush');
  fsyncSync(descriptor);
};
syncBuiltinESMExports();
