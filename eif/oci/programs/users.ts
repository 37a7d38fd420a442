/**
 * The numbers of the user that an image names, by its own passwd and group. Specification: OCI image-spec 1.1, config.md (`User`);
 * passwd(5), group(5).
 */
import { OciError } from '../errors.ts';
import type { ImageFiles } from './file-system.ts';

export interface ImageUser {
  readonly uid: number;
  readonly gid: number;
  /** Groups that other container runtimes would give it too, by their names. */
  readonly furtherGroups: readonly string[];
}

interface Account {
  readonly name: string;
  readonly id: number;
  readonly group: number;
}

interface Group {
  readonly name: string;
  readonly id: number;
  readonly members: readonly string[];
}

const isNumber = (text: string): boolean => /^\d{1,10}$/.test(text);

/** @param user `USER`, `USER:GROUP`, as names or numbers; empty: root @throws OciError EIF_OCI_CONFIGURATION */
export async function resolveUser(files: ImageFiles, user: string): Promise<ImageUser> {
  const accounts = parseAccounts(await files.read('etc/passwd'));
  const groups = parseGroups(await files.read('etc/group'));
  const [userWord = '', groupWord] = user.split(':');
  const account = accounts.find(({ name, id }) => (isNumber(userWord) ? id === Number(userWord) : name === userWord));
  const uid = account?.id ?? numberOf(userWord === '' ? '0' : userWord, 'user', 'etc/passwd');
  if (groupWord !== undefined && groupWord !== '') {
    const gid = groups.find(({ name }) => name === groupWord)?.id ?? numberOf(groupWord, 'group', 'etc/group');
    return { uid, gid, furtherGroups: [] };
  }
  const gid = account?.group ?? 0;
  const further = groups.filter(({ id, members }) => id !== gid && members.includes(account?.name ?? ''));
  return { uid, gid, furtherGroups: further.map(({ name }) => name) };
}

function numberOf(word: string, what: string, file: string): number {
  if (isNumber(word)) return Number(word);
  throw new OciError(
    'EIF_OCI_CONFIGURATION',
    `the image is to run as ${what} ${word}, whom its /${file} does not name`,
  );
}

function parseAccounts(text: string): readonly Account[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , id = '', group = ''] = line.split(':');
    return isNumber(id) && isNumber(group) ? [{ name, id: Number(id), group: Number(group) }] : [];
  });
}

function parseGroups(text: string): readonly Group[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , id = '', members = ''] = line.split(':');
    return isNumber(id) ? [{ name, id: Number(id), members: members.split(',').filter(Boolean) }] : [];
  });
}
