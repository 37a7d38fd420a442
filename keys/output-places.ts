/**
 * Where keys are made: the places must be apart from each other and from all else that enclave.yaml names, and nothing but keys may lie
 * in the keystore. Otherwise one would be written over the other, or make the other unusable.
 */
import { normalize, sep } from 'node:path';
import type { EnclaveConfig } from '../config/enclave.ts';
import { kmsCaFiles } from '../config/key-keeper.ts';
import { requireKms } from '../config/kms.ts';
import { sealedTlsKeyOf, serverCaOf } from '../config/tls.ts';
import { secretFilesOf } from '../config/user-secrets.ts';
import type { Finding } from './finding.ts';

/** What loadConfig reads of a measured folder. */
const CONFIG_FILE = 'enclave.yaml';

interface Place {
  readonly setting: string;
  readonly path: string;
  readonly kind: 'file' | 'folder';
  readonly isMade: boolean;
}

type FilePlace = (setting: string, path: string, isMade?: boolean) => Place;

const withoutEnd = (path: string) => normalize(path).replace(/\/+$/, '');

type PlacesConfig = Pick<EnclaveConfig, 'acra' | 'database' | 'guard' | 'keys' | 'kms' | 'tls'>;

function tlsPlaces(config: PlacesConfig, file: FilePlace): Place[] {
  const sealed = sealedTlsKeyOf(config);
  const ca = serverCaOf(config);
  return [
    sealed === undefined
      ? []
      : [file('acra.sealedKey', sealed.sealedKey, true), file('acra.certificate', sealed.certificate)],
    ca === undefined ? [] : [file('tls.ca', ca)],
  ].flat();
}

/** What lies sealed in the image, and nowhere else. */
function keyPlaces(config: PlacesConfig, file: FilePlace): Place[] {
  const { acra, database, keys } = config;
  if (keys.source === 'parent') {
    return (keys.operators ?? []).flatMap(({ key, encryptionKey }, index) => [
      file(`keys.operators.${index}.key`, key),
      ...(encryptionKey === undefined ? [] : [file(`keys.operators.${index}.encryptionKey`, encryptionKey)]),
    ]);
  }
  return [
    { setting: 'acra.keystore', path: acra.keystore, kind: 'folder', isMade: true },
    file('kms.ciphertext', requireKms(config).ciphertext, true),
    ...database.users.flatMap((user, index) =>
      secretFilesOf(user).map(({ setting, file: path }) => file(`database.users.${index}.${setting}`, path, true)),
    ),
  ];
}

function placesIn(config: PlacesConfig): Place[] {
  const { acra, database, guard } = config;
  const file: FilePlace = (setting, path, isMade = false) => ({ setting, path, kind: 'file', isMade });
  return [
    ...keyPlaces(config, file),
    ...tlsPlaces(config, file),
    file('acra.clientCa', acra.clientCa),
    file('acra.encryptorConfig', acra.encryptorConfig),
    file('database.ca', database.ca),
    ...kmsCaFiles(config).map(({ setting, file: path }) => file(setting, path)),
    ...(guard.list === undefined ? [] : [file('guard.list', guard.list)]),
    file('this file', CONFIG_FILE),
  ];
}

/** `.` contains everything. */
const contains = (outer: string, inner: string) => outer === '.' || inner.startsWith(`${outer}${sep}`);

function conflict(one: Place, other: Place): string | undefined {
  const [a, b] = [withoutEnd(one.path), withoutEnd(other.path)];
  if (a === b) return one.isMade || other.isMade ? `is also the place of ${other.setting}` : undefined;
  if (contains(b, a)) return `lies within ${other.setting} (${other.path})`;
  return contains(a, b) ? `contains ${other.setting} (${other.path})` : undefined;
}

const finding = ({ setting, path }: Place, why: string): Finding => ({
  code: 'KEY_OUTPUT_PLACE',
  file: CONFIG_FILE,
  message: `${setting} ${why}`,
  found: path,
  allowed: 'a place of its own, outside of the keystore',
});

/** Without looking at the folder: whatever is there. */
export function placeFindings(config: PlacesConfig): Finding[] {
  const places = placesIn(config);
  return places.flatMap((place, index) => {
    if (place.kind === 'file' && place.path.endsWith('/'))
      return finding(place, 'names a folder, and should be a file');
    const why = places
      .slice(0, index)
      .map((other) => conflict(place, other))
      .find((each) => each !== undefined);
    return why === undefined ? [] : finding(place, why);
  });
}
