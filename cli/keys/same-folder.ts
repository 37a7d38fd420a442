/**
 * Whether a measured folder is the one that the enclave's image was built from. What is forgotten is lost, and which columns a proof is
 * demanded of is read here: one that this folder does not protect, and the enclave does, would be missed.
 */
import { digestFiles, folderDigest } from '../../attestation/runtime/folder-digest.ts';
import { stateRuntime } from '../../attestation/runtime/state-runtime.ts';
import { RELEASE } from '../../runtime/release.ts';
import { CliError } from '../errors.ts';
import type { KeysContext } from '../keys-context.ts';
import type { ProvenEnclave } from './proven-enclave.ts';

function otherFolder(found: string, allowed: string): CliError {
  return new CliError('CLI_OPTION', '--enclave is not the folder that the image of this enclave was built from', {
    found,
    allowed,
    action:
      'Take that folder as it was, and a command of the enclave’s release: which columns are protected is read from it.',
  });
}

/** @throws CliError CLI_OPTION; AttestationError ATTESTATION_FOLDER_UNREADABLE */
export async function requireFolderOf(
  { configuration }: Pick<ProvenEnclave, 'configuration'>,
  { folder }: Pick<KeysContext, 'folder'>,
): Promise<void> {
  const found = folderDigest(await digestFiles(folder));
  if (found !== configuration) throw otherFolder(`SHA-256 ${found}`, `SHA-256 ${configuration}`);
}

/**
 * Of a request, where no enclave is asked.
 * @param commitment of the enclave that it is for, lower-case hex
 * @throws CliError CLI_OPTION; AttestationError
 */
export async function requireFolderCommitted(
  commitment: string,
  { folder, config }: Pick<KeysContext, 'folder' | 'config'>,
): Promise<void> {
  const stated = stateRuntime({ config, files: await digestFiles(folder), release: RELEASE });
  const found = stated.commitment.toString('hex');
  if (found !== commitment) throw otherFolder(`it commits to ${found}`, commitment);
}
