/**
 * Preloaded into a process that keeps keys (`node --import`): ends it by SIGKILL right before its n-th step on the disk below a folder, or in
 * the middle of a write. What was done before stays done, as in a crash; no step is left out because somebody forgot to name it.
 *
 *   KILL_UNDER  the folder    KILL_AT  number of the step, from 0; absent: none    KILL_STEPS  file that each step is named in
 */
import { appendFileSync } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { env, kill, pid } from 'node:process';

const { KILL_UNDER: under = '/nonexistent', KILL_AT: at, KILL_STEPS: stepsFile } = env;
let steps = 0;

function step(name: string): void {
  if (stepsFile !== undefined) appendFileSync(stepsFile, `${name}\n`);
  if (String(steps) === at) kill(pid, 'SIGKILL');
  steps += 1;
}

/** Names of its own that are random would make another table each time. */
const shortName = (path: unknown) => basename(String(path)).replace(/[0-9a-f]{16}/, '…');
const isBelow = (path: unknown) => String(path).startsWith(under);

const { open, mkdir, rename } = fs;
fs.mkdir = (async (path: string, ...rest: never[]) => {
  if (isBelow(path)) step(`mkdir ${shortName(path)}`);
  return await mkdir(path, ...rest);
}) as typeof fs.mkdir;
fs.rename = async (from, to) => {
  if (isBelow(from)) step(`rename ${shortName(from)} to ${shortName(to)}`);
  await rename(from, to);
};

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

fs.open = async (path, flags, ...rest) => {
  if (!isBelow(path)) return await open(path, flags, ...rest);
  if (flags !== 'r') step(`open ${shortName(path)}`);
  return watch(await open(path, flags, ...rest), shortName(path));
};
syncBuiltinESMExports();
