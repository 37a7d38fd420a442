/** Reads a keystore folder: what is there, what should not be, and whether the permissions are acra-server's own. */
import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../runtime/errors.ts';
import type { KeyFile } from './layout.ts';
import { describeKeyFile, FOLDER_MODE, isPublic, POISON_FOLDER, PRIVATE_FILE_MODE } from './layout.ts';
import type { KeystoreFinding } from './report.ts';

/** A key file is under 100 bytes; whatever is longer is none. */
const MAX_KEY_FILE_BYTES = 4096;

interface KeystoreListing {
  readonly files: readonly KeyFile[];
  readonly findings: readonly KeystoreFinding[];
}

const octal = (mode: number) => (mode & 0o7777).toString(8).padStart(4, '0');

/** Exactly 0700: acra-server refuses 0500 as well as 0755 (acra-server contract 2.5). */
function folderFindings(path: string | undefined, { mode }: Stats): KeystoreFinding[] {
  if ((mode & 0o7777) === FOLDER_MODE) return [];
  const message = `the folder has mode ${octal(mode)}; acra-server wants exactly ${octal(FOLDER_MODE)}`;
  return [{ code: 'KEYSTORE_PERMISSION', ...(path === undefined ? {} : { path }), message }];
}

/**
 * acra-server compares private EC keys with 0600 as numbers and does not look at other files. We want of every private
 * file that nobody else can read it, and of every public one that nobody else can write it.
 */
function fileFindings(file: KeyFile, { mode, size }: Stats): KeystoreFinding[] {
  const findings: KeystoreFinding[] = [];
  const forbidden = isPublic(file.purpose) ? 0o7022 : 0o7777 & ~PRIVATE_FILE_MODE;
  if ((mode & forbidden) !== 0) {
    const allowed = isPublic(file.purpose) ? 'not writable by others' : `${octal(PRIVATE_FILE_MODE)} or less`;
    findings.push({ code: 'KEYSTORE_PERMISSION', path: file.path, message: `mode ${octal(mode)}; must be ${allowed}` });
  }
  if (size > MAX_KEY_FILE_BYTES) {
    findings.push({ code: 'KEYSTORE_KEY_INVALID', path: file.path, message: `${size} bytes is too long for a key` });
  }
  return findings;
}

function isKeyFolder(path: string): boolean {
  return path === POISON_FOLDER || (path.endsWith('.old') && describeKeyFile(path.slice(0, -4)) !== undefined);
}

class Lister {
  readonly files: KeyFile[] = [];
  readonly findings: KeystoreFinding[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async visitFolder(relative: string): Promise<void> {
    const entries = await readdir(join(this.#root, relative));
    for (const entry of entries.toSorted()) await this.#visit(relative === '' ? entry : `${relative}/${entry}`);
  }

  async #visit(path: string): Promise<void> {
    const stats = await lstat(join(this.#root, path));
    if (stats.isDirectory() && isKeyFolder(path)) {
      if (path === POISON_FOLDER) this.findings.push(...folderFindings(path, stats));
      await this.visitFolder(path);
      return;
    }
    const file = stats.isFile() ? describeKeyFile(path) : undefined;
    if (file === undefined) {
      const message = 'is no key of keystore v1; with it acra-server would refuse to start or ignore it';
      this.findings.push({ code: 'KEYSTORE_FILE_UNKNOWN', path, message });
      return;
    }
    this.files.push(file);
    this.findings.push(...fileFindings(file, stats));
  }
}

function missing(message: string): KeystoreListing {
  return { files: [], findings: [{ code: 'KEYSTORE_MISSING', message }] };
}

/** Never throws: what cannot be read is a finding. */
export async function listKeystore(folder: string): Promise<KeystoreListing> {
  try {
    const stats = await lstat(folder);
    if (!stats.isDirectory()) return missing('the keystore is no folder');
    const lister = new Lister(folder);
    lister.findings.push(...folderFindings(undefined, stats));
    await lister.visitFolder('');
    if (lister.files.length === 0) {
      const message = 'the keystore holds no key; acra-server would start with any master key';
      lister.findings.unshift({ code: 'KEYSTORE_EMPTY', message });
    }
    return lister;
  } catch (error) {
    return missing(`the keystore cannot be read: ${describeError(error)}`);
  }
}
