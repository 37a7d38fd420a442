/** A request for a change, bound to the enclave that has proved what it is, and to the key set that it has. */
import { randomBytes } from 'node:crypto';
import type { Envelope } from '../../attestation/published/envelope.ts';
import { withSignatureOf } from '../../attestation/published/envelope.ts';
import type { SigningKey } from '../../attestation/published/keys.ts';
import { readOperators } from '../../keys/operators.ts';
import type { KeyAction, KeyRequest, SealedSecret } from '../../keys/requests/key-request.ts';
import { toKeyRequestEnvelope } from '../../keys/requests/key-request.ts';
import { sealSecretFor } from '../../keys/requests/sealed-secret.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { CliError } from '../errors.ts';
import type { KeysContext } from '../keys-context.ts';
import { readSigningKeyFile } from '../measurements/files.ts';
import { askEnclaveKeys } from './ask-keys.ts';
import type { EnclaveOptions, RequestOptions } from './enclave-options.ts';
import type { ProvenEnclave } from './proven-enclave.ts';

const NONCE_BYTES = 32;
const HASH = /^[0-9a-f]{64}$/;

/** Encrypts to the enclave that the request is for. */
export type Seal = (user: string, secret: SecretBuffer) => Promise<SealedSecret>;

/** The set in use: hash, and generation as far as the parent tells it. */
export interface UsedSet {
  readonly sha256: string | null;
  readonly generation: number | undefined;
}

/** Before anything is asked. @throws CliError CLI_OPTION */
export function requireFrom({ from, url }: EnclaveOptions, kind: KeyAction['kind']): void {
  if (from !== undefined && !HASH.test(from)) {
    throw new CliError('CLI_OPTION', '--from is no hash of a key set', {
      found: from,
      allowed: '64 hexadecimal digits',
    });
  }
  if (url !== undefined && from === undefined && kind !== 'ceremony') {
    throw new CliError('CLI_OPTION', '--from is missing: the listener does not tell the key set in use', {
      allowed: '--from HASH, which `acra-enclave keys status` on the parent tells',
    });
  }
}

/**
 * The parent’s word: an enclave with another set refuses the request.
 * @param options that requireFrom has passed
 * @throws CliError CLI_OPTION; CodedError
 */
export async function usedSet(options: EnclaveOptions, kind: KeyAction['kind']): Promise<UsedSet> {
  const { from, url } = options;
  if (kind !== 'ceremony' && from !== undefined) return { sha256: from, generation: undefined };
  const { taken } = url === undefined ? await askEnclaveKeys(options) : { taken: null };
  if (kind === 'ceremony') {
    if (taken === null) return { sha256: null, generation: 0 };
    throw new CliError('CLI_OPTION', 'the enclave has keys already: a ceremony makes the first ones', {
      found: `generation ${taken.generation}, ${taken.sha256}`,
      allowed: '`keys add-client`, `keys rotate …` and `keys seal`, which change them',
    });
  }
  if (taken === null) throw new CliError('CLI_OPTION', 'the enclave has no keys yet', { allowed: '`keys ceremony`' });
  return taken;
}

export async function makeRequest(
  enclave: ProvenEnclave,
  from: string | null,
  plan: (seal: Seal) => Promise<KeyAction>,
): Promise<KeyRequest> {
  const context = {
    enclave: enclave.name,
    commitment: enclave.commitment,
    nonce: randomBytes(NONCE_BYTES).toString('hex'),
  };
  const seal: Seal = (user, secret) => sealSecretFor(enclave.publicKey, context, user, secret);
  return {
    version: 1,
    ...context,
    enclaveKey: enclave.publicKey.toString('base64'),
    from,
    action: await plan(seal),
  };
}

/** @throws CliError CLI_OPTION: not the key of an operator; MeasurementsError, KeyError */
export async function readOperatorKey(
  { folder, config }: KeysContext,
  { key: file, passphraseFile }: Pick<RequestOptions, 'key' | 'passphraseFile'>,
): Promise<{ readonly key: SigningKey; readonly name: string } | undefined> {
  if (file === undefined) return undefined;
  const operators = readOperators(folder, config);
  const key = await readSigningKeyFile(file, passphraseFile);
  const operator = operators.find(({ keyId }) => keyId === key.keyId);
  if (operator !== undefined) return { key, name: operator.name };
  throw new CliError('CLI_OPTION', `--key: ${file} is no key of an operator`, {
    found: `SHA-256 ${key.keyId}`,
    allowed: operators.map(({ name, keyId }) => `${name} (${keyId})`).join(', '),
  });
}

/** @param key none: for others to sign */
export function toEnvelope(request: KeyRequest, key: SigningKey | undefined): Envelope {
  const unsigned = toKeyRequestEnvelope(request);
  return key === undefined ? unsigned : withSignatureOf(unsigned, key);
}
