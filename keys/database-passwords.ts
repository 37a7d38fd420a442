/**
 * The passwords of the users of the database that a ceremony is given, as USER=FILE. A word may hold the password itself by mistake, so
 * findings name the user and never what stands behind the `=`.
 */
import type { DatabaseUser } from '../config/database-login.ts';
import { errorCode } from '../runtime/errors.ts';
import type { SecretBuffer } from '../runtime/secret-buffer.ts';
import type { KeyErrorCode } from './errors.ts';
import type { Finding } from './finding.ts';
import { PASSWORD_FORM, readPasswordFile } from './password-file.ts';

const OPTION = '--database-user';

export interface DatabasePassword {
  readonly user: string;
  /** Where it lies sealed, relative to the measured folder. */
  readonly secret: string;
  readonly password: SecretBuffer;
}

interface Given {
  /** Undefined for one that enclave.yaml does not have. */
  readonly user: DatabaseUser | undefined;
  readonly name: string;
  readonly file: string;
}

const finding = (code: KeyErrorCode, user: string, message: string, more: Partial<Finding> = {}): Finding => ({
  ...more,
  code,
  file: `${OPTION} ${user}`,
  message,
});

/** A name may have a `=` in it, so the longest of a user goes first. */
function readWord(word: string, users: readonly DatabaseUser[]): Given {
  const fitting = users.filter(({ name }) => word.startsWith(`${name}=`));
  const [user] = fitting.toSorted((a, b) => b.name.length - a.name.length);
  const name = user?.name ?? word.slice(0, Math.max(0, word.indexOf('=')));
  return { user, name, file: word.slice(name.length + 1) };
}

function unknownFinding({ name }: Given, users: readonly DatabaseUser[]): Finding {
  const allowed =
    users.length === 0 ? 'none: enclave.yaml has no database.users' : users.map((each) => each.name).join(', ');
  if (name === '') return finding('KEY_DATABASE_USER', 'USER=FILE', 'a value is not of this form', { allowed });
  return finding('KEY_DATABASE_USER', name, 'enclave.yaml has no such user', { allowed });
}

function readGiven({ name, file }: Given, { secret }: DatabaseUser, findings: Finding[]): DatabasePassword[] {
  try {
    const password = readPasswordFile(file);
    if (typeof password !== 'string') return [{ user: name, secret, password }];
    findings.push(
      finding('KEY_PASSWORD_INVALID', name, 'the file holds no password', { found: password, allowed: PASSWORD_FORM }),
    );
  } catch (error) {
    findings.push(
      finding('KEY_PASSWORD_READ', name, 'the file cannot be read', { found: errorCode(error) ?? 'unknown reason' }),
    );
  }
  return [];
}

/**
 * The caller disposes the passwords; what is wrong is added to `findings`.
 * @param words each USER=FILE
 * @param demand whether every user must be given
 */
export function readDatabasePasswords(
  words: readonly string[],
  users: readonly DatabaseUser[],
  demand: 'all' | 'given',
  findings: Finding[],
): DatabasePassword[] {
  const given = words.map((word) => readWord(word, users));
  const passwords = given.flatMap((each, index) => {
    const isFirst = given.findIndex(({ name }) => name === each.name) === index;
    if (each.user === undefined) findings.push(unknownFinding(each, users));
    else if (!isFirst) findings.push(finding('KEY_DATABASE_USER', each.name, 'it is given twice'));
    else return readGiven(each, each.user, findings);
    return [];
  });
  if (demand === 'given') return passwords;
  const missing = users.filter(({ name }) => !given.some((each) => each.name === name));
  findings.push(
    ...missing.map(({ name }) =>
      finding('KEY_DATABASE_USER', `${name}=FILE`, 'the password of this user is not given'),
    ),
  );
  return passwords;
}
