/**
 * The public keys of the operators whose signatures an enclave demands (keys.operators of enclave.yaml), from the measured folder. Two names
 * with one key would be one person who counts as two: approvals of several would mean nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_KEY_FILE_BYTES, readVerifyingKey, type VerifyingKey } from '../attestation/published/keys.ts';
import type { EnclaveConfig } from '../config/enclave.ts';
import { type ParentKeys, parentKeysOf } from '../config/keys.ts';
import { describeError, errorCode } from '../runtime/errors.ts';
import { type Finding, requireNoFinding } from './finding.ts';

type Operator = ParentKeys['operators'][number];

export interface CheckedOperators {
  /** Of those whose files are sound, named as enclave.yaml names the operators. */
  readonly keys: readonly VerifyingKey[];
  readonly findings: readonly Finding[];
  /** Those whose files are not there. */
  readonly missing: readonly { readonly name: string /** Relative to the folder. */; readonly file: string }[];
}

type ReadOperator =
  | { readonly kind: 'key'; readonly file: string; readonly key: VerifyingKey }
  | { readonly kind: 'missing'; readonly name: string; readonly file: string }
  | { readonly kind: 'wrong'; readonly finding: Finding };

function readOperator(folder: string, { name, key: file }: Operator): ReadOperator {
  const wrong = (details: Pick<Finding, 'message' | 'found' | 'allowed'>): ReadOperator => ({
    kind: 'wrong',
    finding: { code: 'KEY_OPERATOR_INVALID', file, ...details },
  });
  try {
    const pem = readFileSync(join(folder, file));
    if (pem.length > MAX_KEY_FILE_BYTES) {
      const allowed = `at most ${MAX_KEY_FILE_BYTES} bytes`;
      return wrong({ message: `is too large for the key of ${name}`, found: `${pem.length} bytes`, allowed });
    }
    return { kind: 'key', file, key: { ...readVerifyingKey(file, pem), name } };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { kind: 'missing', name, file };
    return wrong({ message: `is no public key of operator ${name}: ${describeError(error)}` });
  }
}

function repeated(read: readonly ReadOperator[]): Finding[] {
  const keys = read.flatMap((each) => (each.kind === 'key' ? [each] : []));
  return keys.flatMap(({ file, key }, index) => {
    const same = keys.slice(0, index).find((other) => other.key.keyId === key.keyId);
    if (same === undefined) return [];
    const found = `SHA-256 ${key.keyId}, of ${same.key.name} and ${key.name}`;
    return [{ code: 'KEY_OPERATOR_TWICE', file, message: `holds the key of ${same.file} again`, found }];
  });
}

/** Of an image's keys there are none. */
export function checkOperators(folder: string, config: Pick<EnclaveConfig, 'keys'>): CheckedOperators {
  const read = (parentKeysOf(config)?.operators ?? []).map((operator) => readOperator(folder, operator));
  return {
    keys: read.flatMap((each) => (each.kind === 'key' ? [each.key] : [])),
    findings: [...read.flatMap((each) => (each.kind === 'wrong' ? [each.finding] : [])), ...repeated(read)],
    missing: read.flatMap((each) => (each.kind === 'missing' ? [each] : [])),
  };
}

/**
 * @param folder the measured one
 * @returns all that enclave.yaml names, by their names there and in its order; none where keys lie in the image
 * @throws KeyError KEY_OPERATOR_INVALID, KEY_OPERATOR_TWICE
 */
export function readOperators(folder: string, config: Pick<EnclaveConfig, 'keys'>): readonly VerifyingKey[] {
  const { keys, findings, missing } = checkOperators(folder, config);
  const absent = missing.map(
    ({ file, name }): Finding => ({
      code: 'KEY_OPERATOR_INVALID',
      file,
      message: `the public key of operator ${name} is not in the measured folder`,
    }),
  );
  requireNoFinding([...findings, ...absent]);
  return keys;
}
