/** Two ways in which an enclave has keys, and so two forms of the commands that change them: enclave.yaml says which. */
import { type ParentKeys, parentKeysOf } from '../../config/keys.ts';
import { CliError } from '../errors.ts';
import type { KeysContext } from '../keys-context.ts';
import { type KeySetOption, type RequestOptions, runningOptions } from './enclave-options.ts';

/** @throws CliError CLI_KEYS_IN_IMAGE */
export function requireParentKeys({ config }: KeysContext, instead: string): ParentKeys {
  const keys = parentKeysOf(config);
  if (keys !== undefined) return keys;
  throw new CliError('CLI_KEYS_IN_IMAGE', 'the keys of this enclave lie in its image', {
    found: 'keys.source: image',
    allowed: instead,
  });
}

/** @throws CliError CLI_KEYS_AT_PARENT */
export function requireImageKeys({ config }: KeysContext, instead: string): void {
  if (parentKeysOf(config) === undefined) return;
  throw new CliError('CLI_KEYS_AT_PARENT', 'this enclave makes its keys itself', {
    found: 'keys.source: parent',
    allowed: instead,
  });
}

/**
 * Of a command with both forms.
 * @param needed by the form for a running enclave
 * @returns whether a running enclave is to be asked
 * @throws CliError CLI_KEYS_IN_IMAGE, CLI_KEYS_AT_PARENT
 */
export function asksEnclave(
  { config }: KeysContext,
  options: Partial<RequestOptions & KeySetOption>,
  needed = '--measurements FILE, and --key FILE or --out FILE',
): boolean {
  const given = runningOptions(options);
  if (parentKeysOf(config) === undefined) {
    if (given.length === 0) return false;
    throw new CliError('CLI_KEYS_IN_IMAGE', 'the keys of this enclave lie in its image: no enclave is asked', {
      found: `keys.source: image, and ${given.join(', ')}`,
      allowed: 'the same command without these options',
    });
  }
  if (given.length > 0) return true;
  throw new CliError(
    'CLI_KEYS_AT_PARENT',
    'this enclave has keys that no other machine opens, and changes them itself, on a request that operators sign',
    {
      found: 'keys.source: parent',
      allowed: `the same command with ${needed}`,
    },
  );
}
