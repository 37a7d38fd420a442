/** A folder before its ceremony whose enclave.yaml has users of the database, and the files with their passwords. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { themis } from '../../../acra/keystore/themis.ts';
import type { KeysFolder } from './keys-folder.ts';
import { FIRST_SUBJECT, masterKeyOf } from './keys-folder.ts';

export const PASSWORDS = { app: 'pässword of app', reports: '=reports= ' } as const;

/** Both may be used by the first client. */
export const USERS = [
  { name: 'app', clients: [`CN=${FIRST_SUBJECT}`] },
  { name: 'reports', clients: [`CN=${FIRST_SUBJECT}`], databases: ['clinic'], secret: 'secrets/of/reports' },
];
export const SECRETS = { app: 'database/app.sealed', reports: 'secrets/of/reports' } as const;

/** Replaces sections of enclave.yaml. */
export function changeYaml(folder: KeysFolder, change: (yaml: Record<string, object>) => object): void {
  const yaml = parse(readFileSync(join(folder.enclave, 'enclave.yaml'), 'utf8'));
  folder.write('enclave/enclave.yaml', stringify({ ...yaml, ...change(yaml) }, { aliasDuplicateObjects: false }));
}

export function setUsers(folder: KeysFolder, users: readonly object[]): void {
  changeYaml(folder, ({ database }) => ({ ingress: { tls: 'terminate' }, database: { ...database, users } }));
}

/** @returns the options that give each user's password */
export function passwordOptions(folder: KeysFolder, passwords: Readonly<Record<string, string | Buffer>> = PASSWORDS) {
  return Object.entries(passwords).flatMap(([user, password]) => [
    '--database-user',
    `${user}=${folder.write(`passwords/${user}`, password)}`,
  ]);
}

/** What the ceremony is given of keys. */
export const ofKeys = (folder: KeysFolder) => ['--server-key', folder.serverKey, '--client', folder.firstClient];

export async function openPassword(folder: KeysFolder, secret: string, context: string): Promise<string | undefined> {
  using masterKey = await masterKeyOf(folder);
  const sealed = readFileSync(join(folder.enclave, secret));
  return masterKey.use((key) => themis.open(key, sealed, context))?.toString();
}
