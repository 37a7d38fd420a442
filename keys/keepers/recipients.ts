/**
 * The X25519 keys of the operators who keep data keys (keys.keeper of enclave.yaml), from the measured folder. Two names with one key would
 * be one person with two shares.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { parentKeysOf } from '../../config/keys.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import { type Finding, requireNoFinding } from '../finding.ts';
import { readEncryptionKey } from './operator-keys.ts';

export interface CheckedRecipients {
  /** Raw, 32 bytes, by operator: of those whose files are sound. */
  readonly recipients: ReadonlyMap<string, Buffer>;
  readonly findings: readonly Finding[];
  /** Those whose files are not there. */
  readonly missing: readonly { readonly name: string; readonly file: string }[];
}

interface Named {
  readonly name: string;
  /** Relative to the folder. */
  readonly file: string;
}

function named(config: Pick<EnclaveConfig, 'keys'>): readonly Named[] {
  const keys = parentKeysOf(config);
  if (keys?.keeper.kind !== 'operators') return [];
  const { operators } = keys.keeper;
  return keys.operators.flatMap(({ name, encryptionKey }) =>
    encryptionKey !== undefined && operators.includes(name) ? [{ name, file: encryptionKey }] : [],
  );
}

/** Of none where others keep the data keys. */
export function checkRecipients(folder: string, config: Pick<EnclaveConfig, 'keys'>): CheckedRecipients {
  const recipients = new Map<string, Buffer>();
  const findings: Finding[] = [];
  const missing: Named[] = [];
  for (const { name, file } of named(config)) {
    try {
      const key = readEncryptionKey(file, readFileSync(join(folder, file)));
      const same = [...recipients].find(([, other]) => other.equals(key));
      if (same === undefined) recipients.set(name, key);
      else findings.push({ code: 'KEY_OPERATOR_TWICE', file, message: `holds the key of ${same[0]} again` });
    } catch (error) {
      if (errorCode(error) === 'ENOENT') missing.push({ name, file });
      else findings.push({ code: 'KEY_OPERATOR_INVALID', file, message: describeError(error) });
    }
  }
  return { recipients, findings, missing };
}

/** @param folder the measured one. @throws KeyError KEY_OPERATOR_INVALID, KEY_OPERATOR_TWICE */
export function readRecipients(folder: string, config: Pick<EnclaveConfig, 'keys'>): ReadonlyMap<string, Buffer> {
  const { recipients, findings, missing } = checkRecipients(folder, config);
  const absent = missing.map(
    ({ name, file }): Finding => ({
      code: 'KEY_OPERATOR_INVALID',
      file,
      message: `the encryption key of operator ${name} is not in the measured folder`,
    }),
  );
  requireNoFinding([...findings, ...absent]);
  return recipients;
}
