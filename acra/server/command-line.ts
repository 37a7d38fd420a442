/**
 * The command line of acra-server 0.96.0 (acra-server contract 3.1, 3.2). Whatever matters is stated, never left to a
 * default: several defaults change when a configuration file lies in the working directory, and some depend on others.
 */
import { isIPv4 } from 'node:net';
import { isAbsolute } from 'node:path';
import { formatEndpoint } from '../../wire/endpoint.ts';
import { AcraError } from '../errors.ts';
import type { AcraServerOptions, CommonOptions, TokenStore } from './options.ts';

/**
 * Without this flag acra-server reads `configs/acra-server.yaml` of its working directory if there is one. It reads
 * /dev/null as an empty configuration, and ignores a missing file, so that no other file is read with or without /dev.
 */
const NO_CONFIG_FILE = '/dev/null';
/** tls.RequireAndVerifyClientCert of Go; on the database's side it changes nothing, the server is always verified. */
const REQUIRE_AND_VERIFY = 4;
/**
 * No limit. By default it holds 1,000 keys, reads the others from their files while it serves, and forwards a statement in
 * plaintext when that fails (contract 0.1).
 */
const CACHED_KEYS = 0;

function invalid(message: string, found: string, allowed: string): AcraError {
  return new AcraError('ACRA_OPTION_INVALID', message, { found, allowed });
}

function absolute(what: string, path: string): string {
  if (isAbsolute(path) && !path.includes('\0')) return path;
  throw invalid(`${what} must be absolute: acra-server's working directory is not ours`, path, 'an absolute path');
}

function listenAddress(listen: CommonOptions['listen']): string {
  if (listen.kind === 'tcp' && (!isIPv4(listen.host) || listen.port === 0)) {
    throw invalid('acra-server cannot listen there', formatEndpoint(listen), 'an IPv4 address with a port, or unix://');
  }
  return formatEndpoint(listen);
}

function databaseFlags({ host, port }: CommonOptions['database']): [string, string | number][] {
  if (!isIPv4(host)) throw invalid('acra-server needs the address of the database', host, 'an IPv4 address');
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw invalid('the port of the database is out of range', String(port), '1 to 65535');
  }
  return [
    ['postgresql_enable', 'true'],
    ['mysql_enable', 'false'],
    ['db_host', host],
    ['db_port', port],
  ];
}

/** Keystore v1 with the key from the environment; caching on start makes a wrong master key fatal (contract 0.1). */
function keystoreFlags(options: CommonOptions): [string, string | number][] {
  return [
    ['keys_dir', absolute('the keystore folder', options.keysFolder)],
    ['keystore_encryption_type', 'env_master_key'],
    ['keystore_cache_on_start_enable', 'true'],
    ['keystore_cache_size', CACHED_KEYS],
  ];
}

/**
 * Without the number of the database for keys it would look for the keystore in Redis too (contract 2.6). It takes a password by argument
 * or configuration file only, so that there is none.
 */
function tokenFlags(tokens: TokenStore | undefined): [string, string | number][] {
  if (tokens === undefined) return [];
  const { host, port, serverName, caFile, database } = tokens;
  if (!isIPv4(host) || port === 0) throw invalid('acra-server needs the address of Redis', host, 'an IPv4 address');
  return [
    ['redis_host_port', `${host}:${port}`],
    ['redis_db_tokens', database],
    ['redis_db_keys', -1],
    ['redis_tls_enable', 'true'],
    ['redis_tls_client_sni', serverName],
    ['redis_tls_client_ca', absolute('the CA of Redis', caFile)],
    ['redis_tls_client_auth', REQUIRE_AND_VERIFY],
    ['redis_tls_ocsp_client_from_cert', 'ignore'],
    ['redis_tls_crl_client_from_cert', 'ignore'],
  ];
}

/** OCSP and CRL are off: they would fetch over HTTP from inside the enclave and fail every handshake (contract 3.1). */
function tlsFlags({ tls, clientId, database }: AcraServerOptions): [string, string | number][] {
  if (database.serverName === '') {
    throw invalid('without a server name acra-server would verify the address instead', 'nothing', 'a DNS name');
  }
  return [
    ['tls_database_sni', database.serverName],
    ['tls_client_id_from_cert', 'true'],
    ['tls_identifier_extractor_type', clientId.from],
    ['tls_client_auth', REQUIRE_AND_VERIFY],
    ['tls_client_ca', absolute('the CA of the clients', tls.clientCaFile)],
    ['tls_client_cert', absolute('the server certificate', tls.serverCertFile)],
    ['tls_client_key', absolute('the server key', tls.serverKeyFile)],
    ['tls_database_auth', REQUIRE_AND_VERIFY],
    ['tls_database_ca', absolute('the CA of the database', tls.databaseCaFile)],
    ['tls_ocsp_client_from_cert', 'ignore'],
    ['tls_crl_client_from_cert', 'ignore'],
    ['tls_ocsp_database_from_cert', 'ignore'],
    ['tls_crl_database_from_cert', 'ignore'],
  ];
}

function configurationFlags(options: CommonOptions): [string, string | number][] {
  const censor = options.censorConfigFile;
  return [
    ['encryptor_config_file', absolute('the encryptor configuration', options.encryptorConfigFile)],
    ['encryptor_config_storage_type', 'filesystem'],
    ...(censor === undefined
      ? []
      : [['acracensor_config_file', absolute('the censor file', censor)] as [string, string]]),
    ['poison_detect_enable', String(options.poisonDetection)],
    ['poison_shutdown_enable', String(options.poisonDetection)],
  ];
}

/** No ports but the one for clients, and logs on stderr alone. `-v` and `-d` log statements (contract 3.6): never. */
const FIXED_FLAGS: readonly [string, string][] = [
  ['config_file', NO_CONFIG_FILE],
  ['http_api_enable', 'false'],
  ['ds', 'false'],
  ['logging_format', 'json'],
  ['log_to_console', 'true'],
  ['audit_log_enable', 'false'],
];

/** What every acra-server gets, and what says whose its sessions are. @throws AcraError ACRA_OPTION_INVALID */
export function assembleArguments(
  options: CommonOptions,
  ofSessions: readonly (readonly [string, string | number])[],
): string[] {
  const flags = [
    ...FIXED_FLAGS,
    ['incoming_connection_string', listenAddress(options.listen)] as const,
    ...databaseFlags(options.database),
    ...keystoreFlags(options),
    ...configurationFlags(options),
    ...tokenFlags(options.tokens),
    ...ofSessions,
  ];
  return flags.map(([name, value]) => `--${name}=${value}`);
}

/**
 * The arguments for acra-server in line, in the form `--name=value` (Go reads booleans in no other form).
 * @throws AcraError ACRA_OPTION_INVALID for what acra-server would misread
 */
export function acraServerArguments(options: AcraServerOptions): string[] {
  return assembleArguments(options, tlsFlags(options));
}
