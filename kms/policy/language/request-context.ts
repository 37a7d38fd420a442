/**
 * What KMS says of a request to the conditions of policies (KMS guide, "Condition keys for Nitro Enclaves", "Condition keys for
 * NitroTPM", "kms:EncryptionContext:context-key"; IAM reference, "Global condition keys").
 *
 * Registers stand there in lower-case hexadecimal, PCR0 under two names; a document of a NitroTPM gives keys of its own
 * (`…:NitroTPMPCR4`) and none of an enclave's, and the other way round. Without a document all of them are absent.
 */
import type { PcrIndex } from '../../../wire/brands.ts';
import type { RequestContext } from './condition.ts';
import type { Caller } from './principal.ts';
import { accountOf } from './principal.ts';

/** Values by register, 48 bytes each. */
export type Registers = ReadonlyMap<PcrIndex, Buffer>;

const ATTESTATION = 'kms:recipientattestation:';
const ATTESTATION_KEY = /^kms:recipientattestation:(?:imagesha384|pcr(?:[0-9]|[12][0-9]|3[01]))$/;
const NITRO_TPM_KEY = /^kms:recipientattestation:nitrotpmpcr(?:[0-9]|1[0-9]|2[0-3])$/;
const ENCRYPTION_CONTEXT = 'kms:encryptioncontext:';
const ENCRYPTION_CONTEXT_KEYS = 'kms:encryptioncontextkeys';
const PRINCIPAL_ARN = 'aws:principalarn';
const CALLER_KEYS: ReadonlySet<string> = new Set([PRINCIPAL_ARN, 'aws:principalaccount', 'kms:calleraccount']);

/** The operations that take a Recipient; of others no document is known. */
const RECIPIENT_ACTIONS: ReadonlySet<string> = new Set([
  'kms:decrypt',
  'kms:derivesharedsecret',
  'kms:generatedatakey',
  'kms:generatedatakeypair',
  'kms:generaterandom',
]);

/** @param key in lower case. @returns the register of an enclave that it is about */
export function registerOfKey(key: string): number | undefined {
  if (!ATTESTATION_KEY.test(key)) return undefined;
  const name = key.slice(ATTESTATION.length);
  return name === 'imagesha384' ? 0 : Number(name.slice('pcr'.length));
}

/** @param key in lower case */
export function isNitroTpmKey(key: string): boolean {
  return NITRO_TPM_KEY.test(key);
}

/** Keys of which `requestContext` always knows whether they are there. @param key in lower case */
export function isKnownKey(key: string): boolean {
  const isOfContext = key.startsWith(ENCRYPTION_CONTEXT) && key.length > ENCRYPTION_CONTEXT.length;
  const isOfCaller = CALLER_KEYS.has(key) || key === ENCRYPTION_CONTEXT_KEYS;
  return registerOfKey(key) !== undefined || isNitroTpmKey(key) || isOfContext || isOfCaller;
}

/** How policies name a register. */
export function attestationKey(index: PcrIndex): string {
  return `kms:RecipientAttestation:${index === 0 ? 'ImageSha384' : `PCR${index}`}`;
}

export interface RequestFacts {
  readonly caller: Caller;
  readonly action: string;
  /** Of the Recipient's document; undefined: there is none, or it is no enclave's. */
  readonly registers?: Registers | undefined;
  /** Of a NitroTPM's document, by number. */
  readonly nitroTpm?: ReadonlyMap<number, string>;
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined;
  /** Further keys, in lower case. */
  readonly more?: ReadonlyMap<string, readonly string[]>;
}

function attestationFacts({ registers, nitroTpm }: RequestFacts): [string, string[]][] {
  const ofEnclave = [...(registers ?? [])].flatMap(([index, value]): [string, string[]][] => {
    const hex = [value.toString('hex')];
    return [[`${ATTESTATION}pcr${index}`, hex], ...(index === 0 ? [[`${ATTESTATION}imagesha384`, hex]] : [])] as [
      string,
      string[],
    ][];
  });
  const ofTpm = [...(nitroTpm ?? [])].map(([index, hex]): [string, string[]] => [
    `${ATTESTATION}nitrotpmpcr${index}`,
    [hex],
  ]);
  return [...ofEnclave, ...ofTpm];
}

function callerFacts({ arn, policyArn, isPathUnknown }: Caller): [string, string[]][] {
  if (!arn.startsWith('arn:')) return [];
  const account = accountOf(arn);
  const ofAccount: [string, string[]][] = account
    ? [
        ['aws:principalaccount', [account]],
        ['kms:calleraccount', [account]],
      ]
    : [];
  return [...(isPathUnknown ? [] : [[PRINCIPAL_ARN, [policyArn]] as [string, string[]]]), ...ofAccount];
}

export function requestContext(facts: RequestFacts): RequestContext {
  const { caller, action, encryptionContext = {}, more } = facts;
  const names = Object.keys(encryptionContext);
  const isAttestable = RECIPIENT_ACTIONS.has(action.toLowerCase());
  const present = new Map<string, readonly string[]>([
    ...(more ?? []),
    ...callerFacts(caller),
    ...(isAttestable ? attestationFacts(facts) : []),
    ...names.map((name): [string, string[]] => [
      `${ENCRYPTION_CONTEXT}${name.toLowerCase()}`,
      [encryptionContext[name] ?? ''],
    ]),
    ...(names.length > 0 ? [[ENCRYPTION_CONTEXT_KEYS, names] as [string, string[]]] : []),
  ]);
  return { present, isAbsent: (key) => isKnownKey(key) && !(caller.isPathUnknown && key === PRINCIPAL_ARN) };
}
