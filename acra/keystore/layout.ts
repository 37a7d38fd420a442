/**
 * Names and sealing contexts of keystore v1 (acra-server contract 2.1 and 9.2). Every private file is a Themis Secure
 * Cell under the master key; its context is the client id, or for keys without a client the file's own name.
 */

export const MASTER_KEY_BYTES = 32;
export const SYMMETRIC_KEY_BYTES = 32;
/** Of one sealed file, and so of what it holds. */
export const MAX_SEALED_BYTES = 64 * 1024;

export const FOLDER_MODE = 0o700;
export const PRIVATE_FILE_MODE = 0o600;
export const PUBLIC_FILE_MODE = 0o644;

export const POISON_FOLDER = '.poison_key';
const POISON_PAIR = `${POISON_FOLDER}/poison_key`;

export type KeyPurpose =
  | 'storage-symmetric'
  | 'storage-private'
  | 'storage-public'
  | 'search-hmac'
  | 'poison-symmetric'
  | 'poison-private'
  | 'poison-public'
  | 'audit-log';

export interface KeyFile {
  /** Relative to the keystore folder, `/` between the parts. */
  readonly path: string;
  readonly purpose: KeyPurpose;
  /** The client that owns it, unless it belongs to the whole keystore. */
  readonly clientId: string | undefined;
  /** What it is sealed with; undefined for public keys, which are plain. */
  readonly context: string | undefined;
  /** True for a key that was rotated out; old data may still need it. */
  readonly rotated: boolean;
}

const CLIENT_SUFFIXES = [
  ['_storage_sym', 'storage-symmetric'],
  ['_storage.pub', 'storage-public'],
  ['_storage', 'storage-private'],
  ['_hmac', 'search-hmac'],
] as const;
type ClientKeyPurpose = (typeof CLIENT_SUFFIXES)[number][1];

const SHARED_FILES: ReadonlyMap<string, KeyPurpose> = new Map([
  [`${POISON_PAIR}_sym`, 'poison-symmetric'],
  [`${POISON_PAIR}.pub`, 'poison-public'],
  [POISON_PAIR, 'poison-private'],
  ['secure_log_key', 'audit-log'],
]);

/** Acra's `2006-01-02T15:04:05.999999999`: trailing zeros of the fraction are left out. */
const ROTATED = /^(?<base>.+)\.old\/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?$/;

/** acra-server takes up to 256 characters (acra-server contract 2.4), but `_storage_sym` must fit into a file name too. */
export const CLIENT_ID_FORM = '5 to 243 letters, digits, dashes, underscores and spaces';

export function isClientId(text: string): boolean {
  return /^[A-Za-z0-9_ -]{5,243}$/.test(text);
}

export function isPublic(purpose: KeyPurpose): boolean {
  return purpose === 'storage-public' || purpose === 'poison-public';
}

function sharedKeyFile(path: string, purpose: KeyPurpose): KeyFile {
  return { path, purpose, clientId: undefined, context: isPublic(purpose) ? undefined : path, rotated: false };
}

/** The file of one key of one client. The caller has checked the client id. */
export function clientKeyFile(clientId: string, purpose: ClientKeyPurpose): KeyFile {
  const suffix = CLIENT_SUFFIXES.find(([, each]) => each === purpose)?.[0] ?? '';
  const context = isPublic(purpose) ? undefined : clientId;
  return { path: `${clientId}${suffix}`, purpose, clientId, context, rotated: false };
}

const NANOSECOND_DIGITS = 6;

/**
 * Where a key goes that is rotated out.
 * @param nowMs of the wall clock
 * @param nanoseconds further ones, below 1,000,000
 */
export function rotatedKeyFile(current: KeyFile, nowMs: number, nanoseconds = 0): KeyFile {
  const [seconds = '', fraction = ''] = new Date(nowMs).toISOString().replace('Z', '').split('.');
  const digits = `${fraction}${String(nanoseconds).padStart(NANOSECOND_DIGITS, '0')}`.replace(/0+$/, '');
  const time = digits === '' ? seconds : `${seconds}.${digits}`;
  return { ...current, path: `${current.path}.old/${time}`, rotated: true };
}

/** All that `keys new` makes for a client. */
export function clientKeyFiles(clientId: string): readonly KeyFile[] {
  return CLIENT_SUFFIXES.map(([, purpose]) => clientKeyFile(clientId, purpose));
}

export const POISON_FILES = {
  symmetric: sharedKeyFile(`${POISON_PAIR}_sym`, 'poison-symmetric'),
  private: sharedKeyFile(POISON_PAIR, 'poison-private'),
  public: sharedKeyFile(`${POISON_PAIR}.pub`, 'poison-public'),
} as const;

function describeCurrent(path: string): KeyFile | undefined {
  const shared = SHARED_FILES.get(path);
  if (shared !== undefined) return sharedKeyFile(path, shared);
  for (const [suffix, purpose] of CLIENT_SUFFIXES) {
    if (!path.endsWith(suffix)) continue;
    const clientId = path.slice(0, -suffix.length);
    return isClientId(clientId) ? clientKeyFile(clientId, purpose) : undefined;
  }
  return undefined;
}

/** Says which key a file holds, or undefined when acra-server would not know it. */
export function describeKeyFile(path: string): KeyFile | undefined {
  const base = ROTATED.exec(path)?.groups?.['base'];
  if (base === undefined) return describeCurrent(path);
  const current = describeCurrent(base);
  return current && { ...current, path, rotated: true };
}
