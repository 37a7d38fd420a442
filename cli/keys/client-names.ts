/** What people call clients: requests and key sets name them by ids, hashes that nobody recognizes. */
import { join } from 'node:path';
import { shown } from '../../acra/catalogue/labels.ts';
import { clientIdFromName, clientNameFromCertificate } from '../../acra/client-id.ts';
import { enclaveSchema } from '../../config/enclave.ts';
import { loadConfig } from '../../config/load.ts';
import { readOptionFile } from '../certificate/files.ts';

const ID_DIGITS = 16;

/** By client id. */
export type ClientNames = ReadonlyMap<string, string>;

/**
 * @param enclave the measured folder, whose enclave.yaml names clients
 * @param certificates files of clients
 * @throws ConfigError; CliError CLI_OPTION; AcraError ACRA_CERTIFICATE_INVALID
 */
export function readClientNames(enclave: string, certificates: readonly string[] = []): ClientNames {
  const { acra, database } = loadConfig(enclaveSchema, join(enclave, 'enclave.yaml'));
  const from = acra.clientIdFrom;
  const named = database.users.flatMap(({ clients }) => clients);
  const given = certificates.map((file) => clientNameFromCertificate(readOptionFile('--client', file), from));
  return new Map([...named, ...given].map((name) => [clientIdFromName(name, from), name]));
}

/** `"CN=app" (3c9909afec25354d…)` */
export function describeClient(id: string, names: ClientNames): string {
  const short = `${id.slice(0, ID_DIGITS)}…`;
  const name = names.get(id);
  return name === undefined ? `unknown by name: ${id}` : `${shown(JSON.stringify(name))} (${short})`;
}
