/**
 * Where the enclave's keys come from (section `keys` of enclave.yaml). `image`: they lie in the measured folder, sealed, and every change
 * is another image. `parent`: an enclave makes them, the parent instance keeps them, as key sets with generations (key-sets.md), and
 * they change at run time, on requests that the operators named here have signed.
 */
import { z } from 'zod';
import { GENERATION_CONTEXT } from '../wire/generation-context.ts';
import { parseKeyArn } from './aws-names.ts';
import { fileInFolder } from './fields.ts';
import { type KeyKeeperSection, keeperFaults, keyKeeper } from './key-keeper.ts';
import type { KmsSection } from './kms.ts';

const MAX_OPERATORS = 32;
const MAX_IMAGES = 100;
const MAX_FORMER_KEYS = 10;

const operator = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._@-]{0,62}$/, { error: 'must be lower-case letters, digits and ._@-' }),
  key: fileInFolder.describe('PEM of the public key that signs requests: Ed25519, P-256 or P-384'),
  encryptionKey: fileInFolder
    .optional()
    .describe('PEM of the X25519 public key that shares are encrypted to; for keepers of keys'),
});

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));

export const keysSection = z
  .strictObject({
    source: z
      .enum(['image', 'parent'])
      .default('image')
      .describe(
        'image: keys lie in this folder, sealed; parent: an enclave has made them, and the parent instance keeps them in key sets',
      ),
    operators: z
      .array(operator)
      .min(1)
      .max(MAX_OPERATORS)
      .optional()
      .describe('with source: parent, who may ask the enclave to make or change keys'),
    approvals: z
      .int()
      .min(1)
      .max(MAX_OPERATORS)
      .optional()
      .describe('with source: parent, how many of the operators must have signed each request; default: 1'),
    ceremony: z
      .enum(['refused', 'allowed'])
      .optional()
      .describe('with source: parent, whether the enclave makes keys where it is brought none; default: refused'),
    madeIn: z
      .array(hex(96))
      .max(MAX_IMAGES)
      .optional()
      .describe('with source: parent, PCR0 of other images whose key sets are taken; those of this image always are'),
    formerKmsKeys: z
      .array(z.string().refine((text) => parseKeyArn(text) !== undefined, { error: 'must be a full key ARN' }))
      .max(MAX_FORMER_KEYS)
      .optional()
      .describe('with source: parent, KMS keys under which key sets may still be, beside kms.keyArn'),
    keeper: keyKeeper
      .optional()
      .describe(
        'with source: parent, who keeps the data key of key sets. kms (default): kms.keyArn; threshold: k of several KMS keys; operators: k of them, who load their shares after each start',
      ),
    pin: z
      .union([z.enum(['none', 'policy']), hex(64)], { error: 'must be none, policy, or the SHA-256 of a key set' })
      .optional()
      .describe(
        'with source: parent, what keeps the parent from bringing an older key set. policy: the key policy demands the generation; a SHA-256: this set and no other; none (default): nothing',
      ),
  })
  .prefault({});

type KeysSection = z.output<typeof keysSection>;

interface KeysSections {
  readonly keys: KeysSection;
  readonly tls: { readonly key: 'sealed' | 'attested' };
  readonly ingress: { readonly tls: 'terminate' | 'passthrough' };
  readonly kms?: KmsSection | undefined;
  readonly database: { readonly users: readonly { readonly nextSecret?: string | undefined }[] };
}

interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** `keys.pin` that is the SHA-256 of a key set, and no word. */
export const isDigest = (pin: string) => /^[0-9a-f]{64}$/.test(pin);

const PARENT_ONLY = ['operators', 'approvals', 'ceremony', 'madeIn', 'formerKmsKeys', 'keeper', 'pin'] as const;

function repeatedOperators(operators: readonly z.output<typeof operator>[]): Fault[] {
  const repeated = (of: 'name' | 'key') =>
    operators.flatMap((each, index) =>
      operators.findIndex((other) => other[of] === each[of]) < index
        ? [{ path: ['keys', 'operators', index, of], message: 'is there twice' }]
        : [],
    );
  return [...repeated('name'), ...repeated('key')];
}

function sectionFaults({ operators = [], approvals = 1, madeIn = [], ceremony, pin = 'none' }: KeysSection): Fault[] {
  const fault = (message: string, ...path: readonly (string | number)[]) => [{ path: ['keys', ...path], message }];
  const zero = madeIn.findIndex((pcr0) => /^0+$/.test(pcr0));
  return [
    operators.length === 0 ? fault('must name at least one operator with source: parent', 'operators') : [],
    approvals > Math.max(1, operators.length)
      ? fault(`must be at most ${operators.length}: there are no more operators`, 'approvals')
      : [],
    repeatedOperators(operators),
    zero === -1 ? [] : fault('is of every enclave in debug mode, whose memory the parent reads', 'madeIn', zero),
    ceremony === 'allowed' && isDigest(pin)
      ? fault('must be refused with a SHA-256 in keys.pin: no other set is taken', 'ceremony')
      : [],
  ].flat();
}

function parentFaults(sections: KeysSections): Fault[] {
  const { keys, tls, ingress, database, kms } = sections;
  const reserved = Object.keys(kms?.encryptionContext ?? {}).find((name) => name.toLowerCase() === GENERATION_CONTEXT);
  const second = database.users.findIndex(({ nextSecret }) => nextSecret !== undefined);
  return [
    sectionFaults(keys),
    keeperFaults(sections),
    ingress.tls === 'terminate'
      ? []
      : [{ path: ['keys', 'source'], message: 'must be image with ingress.tls: passthrough' }],
    tls.key === 'attested'
      ? []
      : [{ path: ['tls', 'key'], message: 'must be attested with keys.source: parent: no key set holds a TLS key' }],
    reserved === undefined
      ? []
      : [
          {
            path: ['kms', 'encryptionContext', reserved],
            message: 'must be left out with keys.source: parent: the enclave adds the generation of the key set',
          },
        ],
    second === -1
      ? []
      : [
          {
            path: ['database', 'users', second, 'nextSecret'],
            message: 'must be left out with keys.source: parent: key sets hold the secrets, one or two of each user',
          },
        ],
  ].flat();
}

/** What the section says against itself and others. */
export function keysFaults(sections: KeysSections): readonly Fault[] {
  if (sections.keys.source === 'parent') return parentFaults(sections);
  const withoutKms = sections.kms === undefined ? [{ path: ['kms'], message: 'must be given' }] : [];
  const others = PARENT_ONLY.filter((field) => sections.keys[field] !== undefined).map((field) => ({
    path: ['keys', field],
    message: 'must be left out with source: image: keys change with the image',
  }));
  return [...withoutKms, ...others];
}

/** With all defaults. */
export interface ParentKeys {
  readonly operators: readonly {
    readonly name: string /** Relative to the measured folder. */;
    readonly key: string;
    /** X25519, likewise. */
    readonly encryptionKey?: string | undefined;
  }[];
  readonly approvals: number;
  readonly ceremony: 'refused' | 'allowed';
  /** PCR0, lower-case hex. */
  readonly madeIn: readonly string[];
  readonly formerKmsKeys: readonly string[];
  readonly keeper: KeyKeeperSection;
  readonly pin: string;
}

/** @returns undefined where keys lie in the image */
export function parentKeysOf({ keys }: Pick<KeysSections, 'keys'>): ParentKeys | undefined {
  if (keys.source === 'image') return undefined;
  const { operators = [], approvals = 1, ceremony = 'refused', madeIn = [], formerKmsKeys = [], pin = 'none' } = keys;
  const { keeper = { kind: 'kms' } } = keys;
  return { operators, approvals, ceremony, madeIn, formerKmsKeys, keeper, pin };
}

/** What is allowed, and weaker than it could be. */
export function keysWarnings(sections: Pick<KeysSections, 'keys'>): string[] {
  const keys = parentKeysOf(sections);
  if (keys === undefined) return [];
  return [
    ...(keys.pin === 'none'
      ? ['keys.pin is none: rollback is not excluded, the parent may bring any key set that it ever had']
      : []),
    ...(keys.ceremony === 'allowed'
      ? [
          'keys.ceremony is allowed: where no key set is brought, operators may have new keys made; refuse it afterwards',
        ]
      : []),
  ];
}
