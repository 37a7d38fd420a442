/** The flags of acra-server that the supervisor uses (acra-server contract 3.1), with acra-server's defaults. */

import { parseArgs } from 'node:util';
import { EmulatorError } from '../errors.ts';

const DEFAULTS = {
  db_host: '',
  db_port: '5432',
  incoming_connection_string: 'tcp://0.0.0.0:9393/',
  keys_dir: '.acrakeys',
  encryptor_config_file: '',
  /** `false`: both legs in clear, every session is `client_id`'s (acra/engine/). */
  tls_client_id_from_cert: 'true',
  client_id: '',
  tls_client_ca: '',
  tls_client_cert: '',
  tls_client_key: '',
  tls_database_ca: '',
  tls_database_sni: '',
  tls_identifier_extractor_type: 'distinguished_name',
  poison_detect_enable: 'false',
  poison_shutdown_enable: 'false',
};
export type Flags = Readonly<Record<keyof typeof DEFAULTS, string>>;

/** The stand-in has no part of what they are about. */
const IGNORED = ['acracensor_config_file', 'keystore_cache_size'];
/** The only values with which the stand-in does what acra-server would do. */
const ONLY = `
  config_file=/dev/null postgresql_enable=true mysql_enable=false keystore_encryption_type=env_master_key
  keystore_cache_on_start_enable=true encryptor_config_storage_type=filesystem 
  tls_client_auth=4 tls_database_auth=4 tls_ocsp_client_from_cert=ignore tls_crl_client_from_cert=ignore
  tls_ocsp_database_from_cert=ignore tls_crl_database_from_cert=ignore http_api_enable=false ds=false
  logging_format=json log_to_console=true audit_log_enable=false`;
const ONLY_VALUES = Object.fromEntries(
  [...ONLY.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
);

/** A flag that acra-server does not know either, or not in this form: exit code 2. */
export class UnknownFlagError extends Error {}

/** @throws UnknownFlagError; EmulatorError EMULATOR_STAND_IN for a value that the stand-in cannot honour */
export function parseFlags(args: readonly string[]): Flags {
  const names = [...Object.keys(DEFAULTS), ...IGNORED, ...Object.keys(ONLY_VALUES)];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' } as const]));
  let given: Readonly<Record<string, unknown>>;
  try {
    given = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UnknownFlagError(error instanceof Error ? error.message : 'unknown flag');
  }
  const wrong = Object.keys(given).find((name) => (ONLY_VALUES[name] ?? given[name]) !== given[name]);
  if (wrong) throw new EmulatorError('EMULATOR_STAND_IN', `the stand-in can only do --${wrong}=${ONLY_VALUES[wrong]}`);
  return { ...DEFAULTS, ...given };
}
