/**
 * How the enclave logs in to the database (`database.login` of enclave.yaml), and what it has of each user for it: one secret, or two,
 * of which the database has one at a time. Apart from the schema, so that programs that read no configuration know it too.
 */

export const LOGINS = ['certificate', 'verifier', 'client'] as const;
export type DatabaseLogin = (typeof LOGINS)[number];

/** Where TLS ends in the enclave. */
export function loginOf({ login }: { readonly login?: DatabaseLogin | undefined }): DatabaseLogin {
  return login ?? 'certificate';
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
  readonly secret: string;
  readonly nextSecret?: string | undefined;
}

/** One or two, in their order. */
export function secretFilesOf({ secret, nextSecret }: UserSecrets): SecretFile[] {
  const first: SecretFile = { setting: 'secret', file: secret };
  return nextSecret === undefined ? [first] : [first, { setting: 'nextSecret', file: nextSecret }];
}
