/**
 * Makes or changes a keystore, and seals secrets, from a daemon, in a process of its own (keystore-process.ts; change-main.ts). All
 * that is made is written beside what there is; nothing is changed in its place.
 */
import { fileURLToPath } from 'node:url';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { type ChangeRequest, changeAnswerSchema, type KeystoreChange, requireChanged } from './change-protocol.ts';
import { runKeystoreProcess } from './keystore-process.ts';
import { requireMasterKeyLength } from './master-key.ts';

const MAIN_FILE = fileURLToPath(new URL('./change-main.ts', import.meta.url));

export interface ChangeKeystoreOptions {
  readonly masterKey: SecretBuffer;
  /** All paths absolute. */
  readonly keystore: Exclude<KeystoreChange, { kind: 'rewrap' }> | (RewrapKeystore & { readonly kind: 'rewrap' });
  /** Sealed here, each for its context; must not exist. The caller still owns the secrets. */
  readonly seal: readonly { readonly file: string; readonly context: string; readonly plaintext: SecretBuffer }[];
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

interface RewrapKeystore extends Omit<Extract<KeystoreChange, { kind: 'rewrap' }>, 'kind'> {
  readonly newMasterKey: SecretBuffer;
  /** Further sealed files, to be sealed under the new master key too. */
  readonly files: ChangeRequest['rewrap'];
}

/**
 * @throws KeystoreError with the code of what the process met, KEYSTORE_CHECK_FAILED, KEYSTORE_CHECK_TIMEOUT; the signal's reason. What was
 * written by then is the caller's to remove
 */
export async function changeKeystore(options: ChangeKeystoreOptions): Promise<void> {
  const { masterKey, keystore, seal, signal, timeoutMs } = options;
  const newKeys = keystore.kind === 'rewrap' ? [keystore.newMasterKey] : [];
  for (const { length } of [masterKey, ...newKeys]) requireMasterKeyLength(length);
  const request: ChangeRequest = {
    ...plainChange(keystore),
    seal: seal.map(({ file, context, plaintext }) => ({ file, context, bytes: plaintext.length })),
  };
  const answer = await runKeystoreProcess({
    mainFile: MAIN_FILE,
    request,
    secrets: [masterKey, ...newKeys, ...seal.map(({ plaintext }) => plaintext)],
    parse: (json) => changeAnswerSchema.parse(json),
    signal,
    timeoutMs,
  });
  requireChanged(answer);
}

function plainChange(change: ChangeKeystoreOptions['keystore']): Pick<ChangeRequest, 'keystore' | 'rewrap'> {
  if (change.kind !== 'rewrap') return { keystore: change, rewrap: [] };
  const { kind, folder, newFolder, files } = change;
  return { keystore: { kind, folder, newFolder }, rewrap: files };
}
