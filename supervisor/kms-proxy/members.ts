/**
 * The body of a request, read so that what is judged is what is sent: one JSON object whose members are known to this action, each of its
 * kind, none twice. It is written anew afterwards, so nothing that a reader could take in two ways goes on.
 * Specification: KMS API reference, the request parameters of each action. Members that name a way round the rules (Recipient,
 * CustomKeyStoreId) are not among them.
 */
import { parseUniqueJson } from '../../encoding/unique-json.ts';
import { KmsProxyError } from './errors.ts';

export type Members = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** KMS generates 1024 bytes at most. */
const MAX_NUMBER = 1024;

const KINDS = {
  text: { words: 'text', holds: isText },
  flag: { words: 'true or false', holds: (value: unknown) => typeof value === 'boolean' },
  size: {
    words: `a whole number up to ${MAX_NUMBER}`,
    holds: (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_NUMBER,
  },
  texts: { words: 'a list of texts', holds: (value: unknown) => Array.isArray(value) && value.every(isText) },
  pairs: {
    words: 'texts by name',
    holds: (value: unknown) => isObject(value) && Object.values(value).every(isText),
  },
} as const;
type Kind = keyof typeof KINDS;

const kinds = (kind: Kind, ...names: readonly string[]): Readonly<Record<string, Kind>> =>
  Object.fromEntries(names.map((name) => [name, kind]));

const KEY = { KeyId: 'text', GrantTokens: 'texts' } as const;
const USED_KEY = { ...KEY, DryRun: 'flag' } as const;
const IN_CONTEXT = { ...USED_KEY, EncryptionContext: 'pairs' } as const;
const DATA_KEY = { ...IN_CONTEXT, KeySpec: 'text', NumberOfBytes: 'size' } as const;

/** Every action that a rule can name. */
const ACTIONS: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  Decrypt: { ...IN_CONTEXT, ...kinds('text', 'CiphertextBlob', 'EncryptionAlgorithm'), DryRunModifiers: 'texts' },
  DeriveSharedSecret: { ...USED_KEY, ...kinds('text', 'KeyAgreementAlgorithm', 'PublicKey') },
  DescribeKey: KEY,
  Encrypt: { ...IN_CONTEXT, ...kinds('text', 'Plaintext', 'EncryptionAlgorithm') },
  GenerateDataKey: DATA_KEY,
  GenerateDataKeyPair: { ...IN_CONTEXT, KeyPairSpec: 'text' },
  GenerateDataKeyPairWithoutPlaintext: { ...IN_CONTEXT, KeyPairSpec: 'text' },
  GenerateDataKeyWithoutPlaintext: DATA_KEY,
  GenerateMac: { ...USED_KEY, ...kinds('text', 'Message', 'MacAlgorithm') },
  GenerateRandom: { NumberOfBytes: 'size' },
  GetPublicKey: KEY,
  ReEncrypt: {
    ...kinds('text', 'CiphertextBlob', 'SourceKeyId', 'DestinationKeyId'),
    ...kinds('text', 'SourceEncryptionAlgorithm', 'DestinationEncryptionAlgorithm'),
    ...kinds('pairs', 'SourceEncryptionContext', 'DestinationEncryptionContext'),
    ...kinds('texts', 'GrantTokens', 'DryRunModifiers'),
    DryRun: 'flag',
  },
  Sign: { ...USED_KEY, ...kinds('text', 'Message', 'MessageType', 'SigningAlgorithm') },
  Verify: { ...USED_KEY, ...kinds('text', 'Message', 'MessageType', 'Signature', 'SigningAlgorithm') },
  VerifyMac: { ...USED_KEY, ...kinds('text', 'Message', 'MacAlgorithm', 'Mac') },
};

function fault(message: string, allowed?: string): KmsProxyError {
  return new KmsProxyError('KMS_PROXY_REQUEST', message, allowed === undefined ? {} : { allowed });
}

/** No cause: a parser's message quotes from the body, which may be a secret. */
function parse(body: Buffer): unknown {
  try {
    return parseUniqueJson(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw fault('the body cannot be read', 'one JSON object in UTF-8 that names no member twice');
  }
}

/** @throws KmsProxyError KMS_PROXY_REQUEST, KMS_PROXY_RECIPIENT, KMS_PROXY_ACTION */
export function readMembers(action: string, body: Buffer): Members {
  const known = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (known === undefined)
    throw new KmsProxyError('KMS_PROXY_ACTION', `the KMS proxy does not take ${action}`, {
      allowed: Object.keys(ACTIONS).join(', '),
    });
  const members = parse(body);
  if (!isObject(members)) throw fault('the body is no JSON object');
  if (Object.hasOwn(members, 'Recipient'))
    throw new KmsProxyError('KMS_PROXY_RECIPIENT', 'Recipient is not the program’s to give');
  for (const [name, value] of Object.entries(members)) {
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined)
      throw fault(`${action} is not taken with one of these members`, Object.keys(known).join(', '));
    if (!KINDS[kind].holds(value)) throw fault(`the member ${name} is of another kind`, KINDS[kind].words);
  }
  return members;
}
