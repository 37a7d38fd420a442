/**
 * What operators ask an enclave to do with its keys: a request for one boot of one enclave and one state of its keys, signed by as many of
 * them as the measured configuration demands. The parent carries it, and can neither make one nor use one twice.
 * Specification: docs/specs/key-sets.md; DSSE 1.0 for the envelope.
 */
import { z } from 'zod';
import { CLIENT_ID_FORM, isClientId } from '../../acra/keystore/layout.ts';
import { type Envelope, parseEnvelope, signatureState } from '../../attestation/published/envelope.ts';
import type { VerifyingKey } from '../../attestation/published/keys.ts';
import { canonicalJson } from '../../encoding/canonical-json.ts';
import { wrapFormatError } from '../../encoding/format-error.ts';
import { parseBoundedJson } from '../../runtime/bounded-json.ts';
import { KeyError } from '../errors.ts';

const KEY_REQUEST_TYPE = 'application/vnd.acra-enclave.key-request+json';

const MAX_CLIENTS = 1_000;
const MAX_SECRETS = 200;
const MAX_SECRET_BYTES = 2_048;
/** Of the envelope, and of what is in it: ids of 1,000 clients, secrets of 200 users, whose names may have commas. */
const MAX_VALUES = 16_384;

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const encoded = (maxBytes: number) => z.base64().max(4 * Math.ceil(maxBytes / 3));
const clients = z
  .array(z.string().refine(isClientId, { error: `must be ${CLIENT_ID_FORM}` }))
  .min(1)
  .max(MAX_CLIENTS)
  .refine((all) => new Set(all).size === all.length, { error: 'must each be there once' });
const user = z.string().min(1).max(63);

/** A password or verifier, encrypted to this boot of this enclave (keys/requests/sealed-secret.ts). */
const sealedSecret = z.strictObject({ user, encapsulated: encoded(32), ciphertext: encoded(MAX_SECRET_BYTES) });
export type SealedSecret = z.infer<typeof sealedSecret>;
/** Of a user one or two, in the order in which they are tried. */
const secrets = z.array(sealedSecret).max(MAX_SECRETS);

const action = z.discriminatedUnion('kind', [
  /** Makes the first set. Users of the database without a secret here get a password that nobody knows (login: certificate). */
  z.strictObject({ kind: z.literal('ceremony'), clients, secrets }),
  z.strictObject({ kind: z.literal('add-clients'), clients }),
  /** Another master key; the data keys stay as they are. */
  z.strictObject({ kind: z.literal('rotate-master') }),
  /** The same master key under a new data key of kms.keyArn, for another KMS key. */
  z.strictObject({ kind: z.literal('rotate-kms') }),
  /** The same master key under a new data key, shared out anew: old and new shares do not combine. For keepers with shares. */
  z.strictObject({ kind: z.literal('reshare') }),
  /** New data keys; the old ones stay for what is stored under them. */
  z.strictObject({ kind: z.literal('rotate-data'), clients }),
  z.strictObject({ kind: z.literal('forget-data'), clients }),
  /** A second password that nobody knows, for the database to be told. */
  z.strictObject({ kind: z.literal('rotate-database'), user }),
  /** The older one of two goes. */
  z.strictObject({ kind: z.literal('settle-database'), user }),
  /** Secrets of users in the place of those that there are. */
  z.strictObject({ kind: z.literal('seal'), secrets: secrets.min(1) }),
  /** Another TLS key for this boot; no set changes. */
  z.strictObject({ kind: z.literal('rotate-tls') }),
]);
export type KeyAction = z.infer<typeof action>;

const content = z.strictObject({
  version: z.literal(1),
  /** `name` of enclave.yaml. */
  enclave: z.string().max(63),
  /** To the runtime statement, as the attestation document shows it: 48 bytes. */
  commitment: hex(96),
  /** Public key of this boot, X25519, 32 bytes. */
  enclaveKey: encoded(32),
  /** 32 bytes; comes back in the transcript. */
  nonce: hex(64),
  /** The key set that is to be changed; null where there is none. */
  from: hex(64).nullable(),
  action,
});
export type KeyRequest = z.infer<typeof content>;

export interface SignedKeyRequest {
  readonly content: KeyRequest;
  /** Canonical JSON of it: what is signed. */
  readonly payload: Buffer;
  readonly envelope: Envelope;
}

/** Not signed by anybody yet. */
export function toKeyRequestEnvelope(request: KeyRequest): Envelope {
  return { payloadType: KEY_REQUEST_TYPE, payload: Buffer.from(canonicalJson(request), 'utf8'), signatures: [] };
}

/**
 * @param file JSON of a DSSE envelope; who has signed is judged by requireApprovals
 * @param leastSignatures 0 for one that operators are still to sign
 * @throws KeyError KEY_REQUEST_INVALID
 */
export function readKeyRequest(file: Buffer, leastSignatures: 0 | 1 = 1): SignedKeyRequest {
  const invalid = (cause: unknown, found?: string) =>
    new KeyError('KEY_REQUEST_INVALID', 'this is no request about keys', {
      ...(cause === undefined ? {} : { cause }),
      ...(found === undefined ? {} : { found }),
    });
  let envelope: Envelope;
  let json: unknown;
  try {
    envelope = parseEnvelope(parseBoundedJson(file, MAX_VALUES), KEY_REQUEST_TYPE, leastSignatures);
    json = parseBoundedJson(envelope.payload, MAX_VALUES);
  } catch (cause) {
    throw invalid(cause);
  }
  const parsed = content.safeParse(json);
  if (!parsed.success) throw invalid(undefined, z.prettifyError(parsed.error));
  const { payload } = wrapFormatError(() => toKeyRequestEnvelope(parsed.data), invalid);
  if (!payload.equals(envelope.payload)) throw invalid(undefined, 'not in its one form');
  return { content: parsed.data, payload, envelope };
}

/** @param operators those of the measured configuration @returns the names of those who have signed. @throws KeyError KEY_REQUEST_UNAPPROVED */
export function requireApprovals(
  { envelope }: SignedKeyRequest,
  operators: readonly VerifyingKey[],
  approvals: number,
): readonly string[] {
  const signed = operators
    .filter((operator) => signatureState(envelope, operator) === 'signed')
    .map(({ name }) => name);
  if (signed.length >= approvals) return signed;
  throw new KeyError('KEY_REQUEST_UNAPPROVED', 'too few of the operators have signed the request', {
    found: signed.length === 0 ? 'no signature of an operator' : signed.join(', '),
    allowed: `${approvals} of ${operators.map(({ name }) => name).join(', ')}`,
  });
}
