/**
 * The secrets of the users of the database that a ceremony is given, as USER=FILE: passwords, or with `database.login: verifier` their
 * verifiers. A word may hold the secret itself by mistake, so findings name the user and never what stands behind the `=`.
 */
import type { DatabaseUser } from '../config/database-login.ts';
import type { DatabaseLogin, SecretSetting } from '../config/user-secrets.ts';
import { loginOf, SECRET_SETTINGS, secretFilesOf } from '../config/user-secrets.ts';
import { errorCode } from '../runtime/errors.ts';
import type { SecretBuffer } from '../runtime/secret-buffer.ts';
import type { KeyErrorCode } from './errors.ts';
import type { Finding } from './finding.ts';
import { readSecretFile } from './secret-file.ts';
import { type SecretForm, secretFormOf } from './secret-form.ts';

const OPTIONS = { secret: '--database-user', nextSecret: '--next-database-user' } as const;

export interface DatabaseSecret {
  readonly user: string;
  /** Where it lies sealed, relative to the measured folder. */
  readonly file: string;
  readonly secret: SecretBuffer;
}

/** USER=FILE each. */
export type SecretWords = Readonly<Record<SecretSetting, readonly string[]>>;

interface Given {
  readonly setting: SecretSetting;
  /** Undefined for one that enclave.yaml does not have. */
  readonly user: DatabaseUser | undefined;
  readonly name: string;
  readonly file: string;
}

const finding = (
  code: KeyErrorCode,
  { setting, name }: Pick<Given, 'setting' | 'name'>,
  message: string,
  more: Partial<Finding> = {},
): Finding => ({ ...more, code, file: `${OPTIONS[setting]} ${name}`, message });

/** A name may have a `=` in it, so the longest of a user goes first. */
function readWord(word: string, setting: SecretSetting, users: readonly DatabaseUser[]): Given {
  const fitting = users.filter(({ name }) => word.startsWith(`${name}=`));
  const [user] = fitting.toSorted((a, b) => b.name.length - a.name.length);
  const name = user?.name ?? word.slice(0, Math.max(0, word.indexOf('=')));
  return { setting, user, name, file: word.slice(name.length + 1) };
}

function unknownFinding(given: Given, users: readonly DatabaseUser[]): Finding {
  const allowed =
    users.length === 0 ? 'none: enclave.yaml has no database.users' : users.map((each) => each.name).join(', ');
  if (given.name !== '') return finding('KEY_DATABASE_USER', given, 'enclave.yaml has no such user', { allowed });
  return finding('KEY_DATABASE_USER', { ...given, name: 'USER=FILE' }, 'a value is not of this form', { allowed });
}

function readGiven(given: Given, user: DatabaseUser, form: SecretForm, findings: Finding[]): DatabaseSecret[] {
  const place = secretFilesOf(user).find(({ setting }) => setting === given.setting);
  if (!place) {
    findings.push(finding('KEY_DATABASE_USER', given, `enclave.yaml has no ${given.setting} for this user`));
    return [];
  }
  try {
    const secret = readSecretFile(given.file, form);
    if (typeof secret !== 'string') return [{ user: user.name, file: place.file, secret }];
    const reason = { found: secret, allowed: form.allowed };
    findings.push(finding(form.code, given, `the file holds no ${form.what}`, reason));
  } catch (error) {
    const reason = { found: errorCode(error) ?? 'unknown reason' };
    findings.push(finding('KEY_PASSWORD_READ', given, 'the file cannot be read', reason));
  }
  return [];
}

/** @returns a finding for each that enclave.yaml states and nobody has given */
function missingFindings(given: readonly Given[], users: readonly DatabaseUser[], { what }: SecretForm): Finding[] {
  const stated = users.flatMap((user) => secretFilesOf(user).map(({ setting }) => ({ setting, name: user.name })));
  const isGiven = (each: Pick<Given, 'setting' | 'name'>) =>
    given.some(({ setting, name }) => setting === each.setting && name === each.name);
  return stated
    .filter((each) => !isGiven(each))
    .map(({ setting, name }) => {
      const message = `the ${setting === 'secret' ? '' : 'next '}${what} of this user is not given`;
      return finding('KEY_DATABASE_USER', { setting, name: `${name}=FILE` }, message);
    });
}

/**
 * The caller disposes the secrets; what is wrong is added to `findings`.
 * @param demand whether all that enclave.yaml states must be given
 */
export function readDatabaseSecrets(
  words: SecretWords,
  database: { readonly login?: DatabaseLogin | undefined; readonly users: readonly DatabaseUser[] },
  demand: 'all' | 'given',
  findings: Finding[],
): DatabaseSecret[] {
  const { users } = database;
  const form = secretFormOf(loginOf(database));
  const given = SECRET_SETTINGS.flatMap((setting) => words[setting].map((word) => readWord(word, setting, users)));
  const secrets = given.flatMap((each, index) => {
    const isFirst = given.findIndex(({ setting, name }) => setting === each.setting && name === each.name) === index;
    if (each.user === undefined) findings.push(unknownFinding(each, users));
    else if (!isFirst) findings.push(finding('KEY_DATABASE_USER', each, 'it is given twice'));
    else return readGiven(each, each.user, form, findings);
    return [];
  });
  if (demand === 'all') findings.push(...missingFindings(given, users, form));
  return secrets;
}
