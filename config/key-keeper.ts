/**
 * Who keeps the data key of key sets (`keys.keeper` of enclave.yaml): the KMS key of section `kms`, several KMS keys of which some are
 * enough, or operators of whom some are. Specification: docs/specs/key-sets.md, 6.
 */
import { z } from 'zod';
import { MAX_KEY_SHARES, MIN_KEY_SHARES } from '../wire/requests/bounds.ts';
import { isSameKeyMaterial, kmsHostFault, parseKeyArn } from './aws-names.ts';
import { fileInFolder } from './fields.ts';
import { type KmsSection, kmsEndpoint, kmsKeyArn } from './kms.ts';

/** Ways out to KMS, of which each leads to one endpoint (wire/routes.ts). */
export const KMS_ROUTES = ['kms', 'kms2', 'kms3', 'kms4', 'kms5'] as const;
export type KmsRoute = (typeof KMS_ROUTES)[number];

const needed = z.int().min(MIN_KEY_SHARES).max(MAX_KEY_SHARES).describe('so many of them open the keys');

const keptKey = z.strictObject({
  keyArn: kmsKeyArn,
  route: z
    .enum(KMS_ROUTES)
    .default('kms')
    .describe('the way out: kms is that of section kms, for keys of its region; others are named in host-proxy.yaml'),
  endpoint: kmsEndpoint.optional().describe('of another route than kms; default: the region’s'),
  ca: fileInFolder.optional().describe('of another route than kms: CA of the endpoint; default: the roots of Node'),
});
type KeptKey = z.output<typeof keptKey>;

export const keyKeeper = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('kms') }),
  z.strictObject({
    kind: z.literal('threshold'),
    k: needed,
    keys: z.array(keptKey).min(MIN_KEY_SHARES).max(MAX_KEY_SHARES).describe('KMS keys; kms.keyArn is one of them'),
  }),
  z.strictObject({
    kind: z.literal('operators'),
    k: needed,
    operators: z
      .array(z.string())
      .min(MIN_KEY_SHARES)
      .max(MAX_KEY_SHARES)
      .describe('names of keys.operators, each of which has an encryptionKey'),
  }),
]);
export type KeyKeeperSection = z.output<typeof keyKeeper>;

interface Sections {
  readonly keys: {
    readonly keeper?: KeyKeeperSection | undefined;
    readonly operators?: readonly { readonly name: string; readonly encryptionKey?: string | undefined }[] | undefined;
    readonly formerKmsKeys?: readonly string[] | undefined;
    readonly pin?: string | undefined;
  };
  readonly kms?: KmsSection | undefined;
}

interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Path = readonly (string | number)[];

/** KMS of one key, as the enclave dials it. */
export interface KmsPlace {
  readonly keyArn: string;
  readonly region: string;
  readonly route: KmsRoute;
  readonly endpoint: string | undefined;
  /** Relative to the measured folder. */
  readonly ca: string | undefined;
}

function placeOf({ keyArn, route, endpoint, ca }: KeptKey, kms: KmsSection): KmsPlace {
  const region = parseKeyArn(keyArn)?.region ?? '';
  return route === 'kms'
    ? { keyArn, region, route, endpoint: kms.endpoint, ca: kms.ca }
    : { keyArn, region, route, endpoint, ca };
}

/** The KMS keys under which new data keys lie; none with operators. */
export function kmsPlaces({ keys, kms }: Sections): readonly KmsPlace[] {
  if (kms === undefined || keys.keeper?.kind === 'operators') return [];
  if (keys.keeper?.kind === 'threshold') return keys.keeper.keys.map((key) => placeOf(key, kms));
  return [placeOf({ keyArn: kms.keyArn, route: 'kms' }, kms)];
}

/** Where an older key is asked for: as those of its region are. */
export function kmsPlaceOf(keyArn: string, sections: Sections & { readonly kms: KmsSection }): KmsPlace {
  const places = kmsPlaces(sections);
  const own = places.find((place) => isSameKeyMaterial(place.keyArn, keyArn));
  if (own !== undefined) return own;
  const region = parseKeyArn(keyArn)?.region ?? '';
  const near = places.find((place) => place.region === region) ?? placeOf({ keyArn, route: 'kms' }, sections.kms);
  return { ...near, keyArn };
}

/** CA files of KMS endpoints, relative to the measured folder. */
export function kmsCaFiles({ keys, kms }: Sections): readonly { readonly setting: string; readonly file: string }[] {
  const own = kms?.ca === undefined ? [] : [{ setting: 'kms.ca', file: kms.ca }];
  if (keys.keeper?.kind !== 'threshold') return own;
  const others = keys.keeper.keys.flatMap(({ ca }, index) =>
    ca === undefined ? [] : [{ setting: `keys.keeper.keys.${index}.ca`, file: ca }],
  );
  return [...own, ...others];
}

/** Ways out to KMS that this configuration uses. */
export function kmsRoutes(sections: Sections): ReadonlySet<KmsRoute> {
  if (sections.kms === undefined) return new Set();
  return new Set(['kms', ...kmsPlaces(sections).map(({ route }) => route)]);
}

const KEEPER: Path = ['keys', 'keeper'];

function keyFaults(key: KeptKey, path: Path, kms: KmsSection): Fault[] {
  const { keyArn, route, endpoint, ca } = key;
  const region = parseKeyArn(keyArn)?.region ?? '';
  const fault = (field: keyof KeptKey, message: string): Fault => ({ path: [...path, field], message });
  if (route !== 'kms') {
    const host = endpoint === undefined ? undefined : URL.parse(endpoint)?.hostname;
    const wrong = host === undefined ? undefined : kmsHostFault(host, region);
    return wrong === undefined ? [] : [fault('endpoint', wrong)];
  }
  return [
    endpoint === undefined ? [] : fault('endpoint', 'must be left out with route: kms: it is that of section kms'),
    ca === undefined ? [] : fault('ca', 'must be left out with route: kms: it is that of section kms'),
    region === '' || region === kms.region
      ? []
      : fault('route', `must be another than kms, which leads to ${kms.region}`),
  ].flat();
}

function thresholdFaults(keys: readonly KeptKey[], k: number, kms: KmsSection): Fault[] {
  const path = (index: number): Path => [...KEEPER, 'keys', index];
  const ofEach = keys.flatMap((key, index) => {
    const before = keys.slice(0, index);
    const twice = before.some((other) => isSameKeyMaterial(other.keyArn, key.keyArn));
    const [a, b] = [key, before.find(({ route }) => route === key.route)].map((each) => each && placeOf(each, kms));
    const differs = b !== undefined && (a?.region !== b.region || a.endpoint !== b.endpoint || a.ca !== b.ca);
    return [
      keyFaults(key, path(index), kms),
      twice ? { path: [...path(index), 'keyArn'], message: 'is there twice (or a replica of the same key)' } : [],
      differs && key.route !== 'kms'
        ? {
            path: [...path(index), 'route'],
            message: 'leads to another endpoint for another key: one route, one endpoint',
          }
        : [],
    ].flat();
  });
  return [
    ofEach,
    k > keys.length
      ? { path: [...KEEPER, 'k'], message: `must be at most ${keys.length}: there are no more keys` }
      : [],
    keys.some(({ keyArn }) => keyArn === kms.keyArn)
      ? []
      : { path: [...KEEPER, 'keys'], message: 'must have kms.keyArn among them' },
  ].flat();
}

function operatorsFaults(names: readonly string[], k: number, { keys }: Sections): Fault[] {
  const path = (index: number): Path => [...KEEPER, 'operators', index];
  const ofEach = names.flatMap((name, index): Fault[] => {
    const operator = keys.operators?.find((each) => each.name === name);
    if (operator === undefined) return [{ path: path(index), message: 'must be a name of keys.operators' }];
    if (names.indexOf(name) < index) return [{ path: path(index), message: 'is there twice' }];
    return operator.encryptionKey === undefined
      ? [{ path: path(index), message: 'has no encryptionKey in keys.operators: no share can be encrypted to him' }]
      : [];
  });
  return [
    ofEach,
    k > names.length
      ? { path: [...KEEPER, 'k'], message: `must be at most ${names.length}: there are no more of them` }
      : [],
    keys.pin === 'policy'
      ? {
          path: ['keys', 'pin'],
          message: 'must be none or a SHA-256 with keepers that are operators: no key policy has a say',
        }
      : [],
  ].flat();
}

/** What section and keeper say against each other. */
export function keeperFaults(sections: Sections): readonly Fault[] {
  const { keeper } = sections.keys;
  const { kms } = sections;
  if (keeper?.kind === 'operators') {
    const former = kms === undefined && (sections.keys.formerKmsKeys ?? []).length > 0;
    return [
      operatorsFaults(keeper.operators, keeper.k, sections),
      former
        ? { path: ['keys', 'formerKmsKeys'], message: 'must be left out without section kms: nobody asks KMS' }
        : [],
    ].flat();
  }
  if (kms === undefined) {
    return [{ path: ['kms'], message: 'must be given; only with keys.keeper.kind: operators an enclave needs no KMS' }];
  }
  return keeper?.kind === 'threshold' ? thresholdFaults(keeper.keys, keeper.k, kms) : [];
}
