/**
 * How the enclave logs in to the database (`database.login` of enclave.yaml), and what it has of each user for it: one secret, or two,
 * of which the database has one at a time; or none. Apart from the schema, so that programs that read no configuration know it too.
 */

export const LOGINS = ['certificate', 'verifier', 'client', 'rds-iam'] as const;
export type DatabaseLogin = (typeof LOGINS)[number];

/** Where TLS ends in the enclave. */
export function loginOf({ login }: { readonly login?: DatabaseLogin | undefined }): DatabaseLogin {
  return login ?? 'certificate';
}

/** Whether anything is sealed of users: clients may have passwords of their own, and RDS takes tokens that are made for each login. */
export function sealsSecrets(login: DatabaseLogin): boolean {
  return login === 'certificate' || login === 'verifier';
}

/** Of a user, in the order in which they are tried first. */
export const SECRET_SETTINGS = ['secret', 'nextSecret'] as const;
export type SecretSetting = (typeof SECRET_SETTINGS)[number];

export interface SecretFile {
  readonly setting: SecretSetting;
  /** Relative to the measured folder. */
  readonly file: string;
}

interface UserSecrets {
  readonly secret?: string | undefined;
  readonly nextSecret?: string | undefined;
}

/** One or two, in their order; none where none is sealed. */
export function secretFilesOf(user: UserSecrets): SecretFile[] {
  return SECRET_SETTINGS.flatMap((setting) => {
    const file = user[setting];
    return file === undefined ? [] : [{ setting, file }];
  });
}
