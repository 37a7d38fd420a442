/**
 * Puts single files in place. Each is written beside its target and renamed over it: a daemon that runs the old one keeps
 * it, and a failure half-way leaves no half file. The umask does not matter.
 */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { PlannedFile, PlannedLink } from './plan.ts';

const FOLDER_MODE = 0o755;

/** @returns the folders that were made, outermost first. */
export function makeFolder(folder: string): readonly string[] {
  const made: string[] = [];
  const outermost = mkdirSync(folder, { recursive: true });
  if (outermost === undefined) return made;
  for (let path = folder; ; path = dirname(path)) {
    chmodSync(path, FOLDER_MODE);
    made.unshift(path);
    if (path === outermost) return made;
  }
}

function throughRename(target: string, write: (temporary: string) => void): void {
  const temporary = `${target}.new`;
  rmSync(temporary, { force: true });
  try {
    write(temporary);
    renameSync(temporary, target);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cause;
  }
}

export function placeText(target: string, text: string | Buffer, mode: number): void {
  throughRename(target, (temporary) => {
    writeFileSync(temporary, text);
    chmodSync(temporary, mode);
  });
}

export function placeFile(target: string, { content, mode }: PlannedFile): void {
  if ('text' in content) {
    placeText(target, content.text, mode);
    return;
  }
  throughRename(target, (temporary) => {
    copyFileSync(content.copyOf, temporary);
    chmodSync(temporary, mode);
  });
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

export function placeLink(target: string, { to }: PlannedLink): void {
  if (linkTarget(target) === to) return;
  throughRename(target, (temporary) => symlinkSync(to, temporary));
}
