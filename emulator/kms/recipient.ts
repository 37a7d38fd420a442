/**
 * The `Recipient` of a request: authenticates its attestation document and takes from it what KMS uses, the public key
 * to answer to and the measurements that policies test (nitro-formats 3.6 and 3.7).
 */
import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { AttestationError } from '../../attestation/errors.ts';
import type { Registers } from '../../kms/policy/language/request-context.ts';
import { describeError } from '../../runtime/errors.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import type { NsmTrust } from './nsm-trust.ts';
import { believe } from './nsm-trust.ts';
import { ServiceError } from './service-error.ts';

/** KMS refuses documents older than five minutes. */
const MAX_AGE_MS = 5 * 60_000;
/** A document from the future shows a wrong clock; a minute's difference is nothing unusual. */
const MAX_SKEW_MS = 60_000;
const RSA_BITS = [2048, 3072, 4096];
const PCR0 = toPcrIndex(0);

export interface Recipient {
  readonly publicKey: KeyObject;
  /** As policies test them. */
  readonly registers: Registers;
  /** Lower-case hex. */
  readonly pcr0: string | undefined;
}

interface RecipientTrust {
  readonly nsmTrust: NsmTrust;
  readonly nowMs: number;
}

function invalid(message: string, cause?: unknown): ServiceError {
  return new ServiceError('ValidationException', `The attestation document is not acceptable: ${message}`, { cause });
}

function authenticate(document: Buffer, { nsmTrust, nowMs }: RecipientTrust) {
  try {
    return believe(document, nsmTrust, nowMs);
  } catch (error) {
    if (error instanceof AttestationError) throw invalid(`${error.code}: ${describeError(error)}`, error);
    throw error;
  }
}

function parsePublicKey(der: Buffer | undefined): KeyObject {
  if (der === undefined) throw invalid('it has no public key');
  let key: KeyObject;
  try {
    key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch (error) {
    throw invalid('its public key is not a DER SubjectPublicKeyInfo', error);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (key.asymmetricKeyType === 'rsa' && bits !== undefined && RSA_BITS.includes(bits)) return key;
  throw invalid('its public key is not an RSA key of 2048, 3072 or 4096 bits');
}

/** @throws ServiceError ValidationException */
export function authenticateRecipient(document: Buffer, trust: RecipientTrust): Recipient {
  const { timestampMs, pcrs, publicKey } = authenticate(document, trust);
  const ageMs = trust.nowMs - timestampMs;
  if (ageMs > MAX_AGE_MS) throw invalid(`it is ${Math.round(ageMs / 1000)} s old; at most 300 s are allowed`);
  if (ageMs < -MAX_SKEW_MS) throw invalid('it was made in the future');
  return { publicKey: parsePublicKey(publicKey), registers: pcrs, pcr0: pcrs.get(PCR0)?.toString('hex') };
}
