/**
 * Compressed archives whose bytes follow from names, modes and contents alone: no time, no owner, no order of a folder. They are written
 * with the pinned Node's zlib, whatever npm and tar the machine has.
 *
 * Specification: POSIX pax (IEEE Std 1003.1), RFC 1952.
 */
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { byCodeUnits } from '../../runtime/code-units.ts';

export interface ArchivedFile {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

/** What npm gives to every file of a package; zero would be "none" to some readers. */
const MODIFIED = new Date('1985-10-26T08:15:00Z');
const SMALLEST = 9;

export async function packTarball(files: readonly ArchivedFile[]): Promise<Buffer> {
  const entries = files
    .toSorted((a, b) => byCodeUnits(a.name, b.name))
    .map(({ name, mode, content }) => ({
      header: { name, mode, size: content.length, mtime: MODIFIED, uid: 0, gid: 0, uname: '', gname: '' },
      body: content,
    }));
  return gzipSync(await packTar(entries), { level: SMALLEST });
}
