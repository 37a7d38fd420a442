/** What a check of a keystore found. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import type { KEYSTORE_ERRORS } from '../errors.ts';
import { KeystoreError } from '../errors.ts';
import type { ClientKeyIds } from './client-key-ids.ts';
import type { KeyPurpose } from './layout.ts';

export type KeystoreErrorCode = keyof typeof KEYSTORE_ERRORS & keyof ErrorCatalogue;

export interface KeystoreFinding {
  readonly code: KeystoreErrorCode;
  /** Relative to the keystore folder; undefined when the keystore as a whole is meant. */
  readonly path?: string;
  readonly message: string;
}

export interface KeystoreReport {
  readonly folder: string;
  /** Private keys that opened with the master key, rotated ones included. */
  readonly openedKeys: number;
  /** Clients that have at least one key, sorted. */
  readonly clientIds: readonly string[];
  /** Of every client that has a symmetric key which opens, by client id. */
  readonly keyIds: readonly ClientKeyIds[];
  /** Kinds of poison-record keys present. */
  readonly poisonKeys: readonly Extract<KeyPurpose, 'poison-symmetric' | 'poison-private'>[];
  /** Empty for a sound keystore. The most telling one stands first. */
  readonly findings: readonly KeystoreFinding[];
}

/** @throws KeystoreError with the code of the first finding and all findings in its message */
export function requireSoundKeystore(report: KeystoreReport): void {
  const [first] = report.findings;
  if (first === undefined) return;
  const lines = report.findings.map(({ path, message }) => `  - ${path === undefined ? '' : `${path}: `}${message}`);
  throw new KeystoreError(first.code, `keystore ${report.folder} cannot be used:\n${lines.join('\n')}`);
}
