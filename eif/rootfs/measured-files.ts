/** Which files of the measured folder an enclave uses, by its enclave.yaml: those and no others belong into the image. */
import { posix } from 'node:path';
import { type AnyEnclaveConfig, isApp } from '../../config/any-enclave.ts';
import type { AppEnclaveConfig } from '../../config/app/app-enclave.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { kmsCaFiles } from '../../config/key-keeper.ts';
import { requireKms } from '../../config/kms.ts';
import { sealedTlsKeyOf, serverCaOf } from '../../config/tls.ts';
import { secretFilesOf } from '../../config/user-secrets.ts';
import { ACRA_SERVER_ID, APP_FOLDER } from '../../wire/image-layout.ts';
import { FILE_MODE, FOLDER_MODE } from './content.ts';

/** acra-server wants exactly these of its keystore (acra-server contract 2.5). */
const KEYSTORE_FOLDER_MODE = 0o700;
const PRIVATE_FILE_MODE = 0o600;
const PUBLIC_KEY = /\.pub(?:\.old\/[^/]+)?$/;

interface MeasuredEntry {
  readonly mode: number;
  readonly owner: number;
}

export interface MeasuredFiles {
  /** Relative to the folder; each must be there. */
  readonly required: readonly string[];
  /** The folder of keys, relative; it must hold one at least. Undefined where the parent instance keeps them. */
  readonly keystore: string | undefined;
  /** A folder that goes another way into the image. */
  readonly beside: string | undefined;
  /** Mode and owner in the image, or undefined for what does not belong there. */
  entryOf(type: 'file' | 'folder', path: string): MeasuredEntry | undefined;
}

/** What lies in the image because keys do, or because they do not. */
function keyFiles(config: EnclaveConfig) {
  const { acra, database, keys } = config;
  if (keys.source === 'parent') {
    return {
      keystore: undefined,
      sealed: [],
      operators: (keys.operators ?? []).flatMap(({ key, encryptionKey }) => [key, encryptionKey ?? []].flat()),
    };
  }
  const ofUsers = database.users.flatMap((user) => secretFilesOf(user).map(({ file }) => file));
  return {
    keystore: posix.normalize(acra.keystore),
    sealed: [requireKms(config).ciphertext, ...ofUsers],
    operators: [],
  };
}

export function measuredFiles(config: AnyEnclaveConfig): MeasuredFiles {
  return isApp(config) ? appFiles(config) : acraFiles(config);
}

function appFiles(config: AppEnclaveConfig): MeasuredFiles {
  const { ingress, kmsProxy } = config;
  const named = [
    serverCaOf(config),
    ...Object.values(ingress).map(({ clientCa }) => clientCa),
    ...(kmsProxy?.regions ?? []).map(({ ca }) => ca),
  ].flatMap((file) => file ?? []);
  const required = ['enclave.yaml', ...new Set(named.map(posix.normalize))];
  return {
    required,
    keystore: undefined,
    beside: APP_FOLDER,
    entryOf: (type, path) => publicEntry(type, path, required),
  };
}

/** What anybody in the enclave may read, and folders on the way there. */
function publicEntry(type: 'file' | 'folder', path: string, files: readonly string[]): MeasuredEntry | undefined {
  if (type === 'file') return files.includes(path) ? { mode: FILE_MODE, owner: 0 } : undefined;
  return files.some((file) => file.startsWith(`${path}/`)) ? { mode: FOLDER_MODE, owner: 0 } : undefined;
}

function acraFiles(config: EnclaveConfig): MeasuredFiles {
  const { acra, database, guard } = config;
  const tlsKey = sealedTlsKeyOf(config);
  const { keystore, operators, ...keys } = keyFiles(config);
  // Only the supervisor reads these, as root.
  const sealed = [tlsKey?.sealedKey ?? [], keys.sealed].flat().map(posix.normalize);
  const serverFiles = [tlsKey?.certificate ?? [], serverCaOf(config) ?? []].flat();
  const optional = [
    kmsCaFiles(config).map(({ file }) => file),
    guard.list ?? [],
    acra.tokens?.ca ?? [],
    acra.censorConfig ?? [],
  ].flat();
  const named = [acra.encryptorConfig, acra.clientCa, ...serverFiles, database.ca, ...optional, ...operators];
  const required = ['enclave.yaml', ...named.map(posix.normalize), ...sealed];
  const isInKeystore = (path: string) =>
    keystore !== undefined && (path === keystore || path.startsWith(`${keystore}/`));
  const above = keystore === undefined ? required : [...required, keystore];
  return {
    required,
    keystore,
    beside: undefined,
    entryOf(type, path) {
      if (isInKeystore(path)) return keystoreEntry(type, path);
      if (type === 'file' && required.includes(path)) {
        return { mode: sealed.includes(path) ? PRIVATE_FILE_MODE : FILE_MODE, owner: 0 };
      }
      const isAbove = above.some((file) => file.startsWith(`${path}/`));
      return type === 'folder' && isAbove ? { mode: FOLDER_MODE, owner: 0 } : undefined;
    },
  };
}

function keystoreEntry(type: 'file' | 'folder', path: string): MeasuredEntry {
  const fileMode = PUBLIC_KEY.test(path) ? FILE_MODE : PRIVATE_FILE_MODE;
  return { mode: type === 'folder' ? KEYSTORE_FOLDER_MODE : fileMode, owner: ACRA_SERVER_ID };
}
