/** Where a program lies: named by its path, or looked for in PATH as a shell would. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { SystemError } from '../errors.ts';

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** @throws SystemError ENCLAVE_PROGRAM_MISSING */
export function findProgram(name: string): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  const found = isAbsolute(name) ? [name].find(isProgram) : folders.map((folder) => join(folder, name)).find(isProgram);
  if (found !== undefined) return found;
  throw new SystemError('ENCLAVE_PROGRAM_MISSING', `there is no program ${name}`, {
    allowed: isAbsolute(name) ? 'an executable file' : 'an executable file in a folder of PATH',
  });
}
