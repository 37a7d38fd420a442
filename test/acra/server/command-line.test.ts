import t from 'tap';
import { AcraError } from '../../../acra/errors.ts';
import { acraServerArguments } from '../../../acra/server/command-line.ts';
import type { AcraServerOptions } from '../../../acra/server/options.ts';
import { throwsCode } from '../../support/coded-error.ts';

const options: AcraServerOptions = {
  listen: { kind: 'tcp', host: '127.0.0.1', port: 9393 },
  database: { host: '127.0.0.1', port: 5432, serverName: 'db.example' },
  keysFolder: '/acra/keystore',
  encryptorConfigFile: '/acra/encryptor.yaml',
  tls: {
    clientCaFile: '/acra/client-ca.pem',
    serverCertFile: '/acra/server.pem',
    serverKeyFile: '/acra/server.key',
    databaseCaFile: '/acra/database-ca.pem',
  },
  clientId: { from: 'distinguished_name' },
  poisonDetection: true,
};

function flagsOf(changed: Partial<AcraServerOptions> = {}): ReadonlyMap<string, string> {
  const pairs = acraServerArguments({ ...options, ...changed }).map((argument) => {
    const [, name = '', value = ''] = /^--([a-z_]+)=(.*)$/.exec(argument) ?? [];
    return [name, value] as const;
  });
  t.equal(new Set(pairs.map(([name]) => name)).size, pairs.length, 'no flag twice');
  return new Map(pairs);
}

t.test('states every value that keeps data encrypted, whatever acra-server’s defaults are', async (t) => {
  const flags = flagsOf();
  const demanded = {
    keystore_cache_on_start_enable: 'true',
    keystore_encryption_type: 'env_master_key',
    tls_client_auth: '4',
    tls_client_id_from_cert: 'true',
    tls_ocsp_client_from_cert: 'ignore',
    tls_crl_client_from_cert: 'ignore',
    tls_ocsp_database_from_cert: 'ignore',
    tls_crl_database_from_cert: 'ignore',
    tls_database_sni: 'db.example',
    http_api_enable: 'false',
    logging_format: 'json',
    poison_detect_enable: 'true',
    poison_shutdown_enable: 'true',
    config_file: '/dev/null',
  };
  t.match(Object.fromEntries(flags), demanded);
});

t.test('opens no port but the one for clients, and never logs statements', async (t) => {
  const flags = flagsOf();
  t.equal(flags.get('ds'), 'false');
  for (const name of [
    'v',
    'd',
    'incoming_connection_prometheus_metrics_string',
    'client_id',
    'poison_run_script_file',
  ]) {
    t.notOk(flags.has(name), name);
  }
});

t.test('passes the address on in both forms', async (t) => {
  t.equal(flagsOf().get('incoming_connection_string'), 'tcp://127.0.0.1:9393');
  const unix = flagsOf({ listen: { kind: 'unix', path: '/run/acra.sock' } });
  t.equal(unix.get('incoming_connection_string'), 'unix:///run/acra.sock');
});

t.test('turns poison detection and the censor on and off', async (t) => {
  const flags = flagsOf({ poisonDetection: false, censorConfigFile: '/acra/censor.yaml' });
  t.equal(flags.get('poison_shutdown_enable'), 'false');
  t.equal(flags.get('acracensor_config_file'), '/acra/censor.yaml');
  t.notOk(flagsOf().has('acracensor_config_file'));
});

const refused: [string, Partial<AcraServerOptions>][] = [
  ['a database named instead of addressed', { database: { ...options.database, host: 'db.example' } }],
  ['an IPv6 address of the database', { database: { ...options.database, host: '::1' } }],
  ['port 0 of the database', { database: { ...options.database, port: 0 } }],
  ['a missing server name', { database: { ...options.database, serverName: '' } }],
  ['a relative keystore', { keysFolder: 'keystore' }],
  ['a relative encryptor configuration', { encryptorConfigFile: 'encryptor.yaml' }],
  ['a relative certificate', { tls: { ...options.tls, serverCertFile: 'server.pem' } }],
  ['a name to listen on', { listen: { kind: 'tcp', host: 'localhost', port: 9393 } }],
  ['port 0 to listen on, which nobody would learn', { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } }],
];
for (const [what, changed] of refused) {
  t.test(`rejects ${what} (ACRA_OPTION_INVALID)`, async () => {
    throwsCode(() => acraServerArguments({ ...options, ...changed }), AcraError, 'ACRA_OPTION_INVALID');
  });
}

t.test('keeps tokens in Redis over TLS, its name and CA verified, and the keystore where it is', async (t) => {
  const tokens = {
    host: '127.0.0.1',
    port: 16379,
    serverName: 'redis.test',
    caFile: '/acra/tokens-ca.pem',
    database: 3,
  };
  t.match(Object.fromEntries(flagsOf({ tokens })), {
    redis_host_port: '127.0.0.1:16379',
    redis_db_tokens: '3',
    redis_db_keys: '-1',
    redis_tls_enable: 'true',
    redis_tls_client_sni: 'redis.test',
    redis_tls_client_ca: '/acra/tokens-ca.pem',
    redis_tls_client_auth: '4',
    redis_tls_ocsp_client_from_cert: 'ignore',
    redis_tls_crl_client_from_cert: 'ignore',
  });
  t.notMatch(JSON.stringify([...flagsOf().keys()]), /redis|token/);
  throwsCode(() => flagsOf({ tokens: { ...tokens, host: '::1' } }), AcraError, 'ACRA_OPTION_INVALID');
});

t.test('names the configuration of AcraCensor where there is one', async (t) => {
  t.equal(flagsOf({ censorConfigFile: '/acra/censor.yaml' }).get('acracensor_config_file'), '/acra/censor.yaml');
  t.equal(flagsOf().get('acracensor_config_file'), undefined);
});
