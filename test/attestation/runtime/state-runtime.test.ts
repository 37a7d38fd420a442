import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { AttestationError } from '../../../attestation/errors.ts';
import { stateRuntime } from '../../../attestation/runtime/state-runtime.ts';
import { decodeStatement } from '../../../attestation/runtime/statement.ts';
import { enclaveSchema } from '../../../config/enclave.ts';
import { requireKms } from '../../../config/kms.ts';
import { loadConfig, readConfig } from '../../../config/load.ts';
import { PROJECT } from '../../project/imports.ts';
import { throwsCode } from '../../support/coded-error.ts';

const config = loadConfig(enclaveSchema, join(PROJECT, 'examples/enclave.yaml'));
const kms = requireKms(config);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const files = new Map(
  ['enclave.yaml', 'tls/client-ca.pem', 'tls/database-ca.pem', 'tls/server.pem'].map((name) => [name, sha256(name)]),
);
const facts = { config, files, release: '9.9.9' };
const sha384 = (...parts: readonly (string | Buffer)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha384')).digest();

t.test('states what the configuration says, and the files by their digests', async (t) => {
  const { statement } = stateRuntime(facts);
  t.match(statement, {
    version: 1,
    release: '9.9.9',
    name: config.name,
    ingress: 'terminate',
    tlsKey: 'sealed',
    guard: { mode: 'enforce', relations: 'listed', migrations: [] },
    database: { serverName: config.database.serverName, ca: sha256('tls/database-ca.pem') },
    clientCa: sha256('tls/client-ca.pem'),
    kms: { keyArn: kms.keyArn, encryptionContext: kms.encryptionContext },
  });
  const lines = [...files].map(([name, digest]) => `${digest}  ${name}\n`).join('');
  t.equal(statement.configuration, sha256(lines));
});

t.test('commits to it by the published formula, to an encoding that a verifier reads back', async (t) => {
  const { statement, encoding, commitment, pcr16 } = stateRuntime(facts);
  t.same(decodeStatement(encoding), statement);
  t.same(commitment, sha384('acra-enclave runtime statement v1\0', encoding));
  t.same(pcr16, sha384(Buffer.alloc(48), commitment));
});

t.test('encodes as jq -cS does', async (t) => {
  const { statement, encoding } = stateRuntime(facts);
  try {
    const printed = execFileSync('jq', ['-cjS', '.'], { input: JSON.stringify(statement), encoding: 'utf8' });
    t.equal(printed, encoding.toString('utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    t.comment('no jq here');
  }
});

t.test('says that nobody guards statements in line', async (t) => {
  const inLine = readConfig(
    enclaveSchema,
    Buffer.from(
      `{version: 1, name: x, ingress: {tls: passthrough}, database: {serverName: db.internal}, kms: ${JSON.stringify({ keyArn: kms.keyArn, encryptionContext: { a: 'b' } })}}`,
    ),
    'enclave.yaml',
  );
  const { statement } = stateRuntime({ ...facts, config: inLine });
  t.same([statement.ingress, statement.guard], ['passthrough', { mode: 'none', relations: 'none', migrations: [] }]);
});

t.test('states a login that the parent has too, and leaves every other statement as it was', async (t) => {
  const { login, ...database } = config.database;
  t.not(login, 'rds-iam');
  t.notOk('login' in stateRuntime(facts).statement.database);
  const byIam = { ...facts, config: { ...config, database: { ...database, login: 'rds-iam' as const } } };
  const { statement, encoding } = stateRuntime(byIam);
  t.equal(statement.database.login, 'rds-iam');
  t.same(decodeStatement(encoding), statement);
});

t.test('names columns whose rows may still be plaintext', async (t) => {
  const migrations = [{ table: 'people', column: 'email', beside: 'email_protected', old: 'email_plain' }];
  const { statement } = stateRuntime({ ...facts, config: { ...config, guard: { ...config.guard, migrations } } });
  t.same(statement.guard.migrations, ['people.email']);
});

t.test('states where keys lie: in the image, or with the parent, and who may then change them', async (t) => {
  t.same(stateRuntime(facts).statement.keys, { source: 'image' });
  const keys = {
    ...config.keys,
    source: 'parent' as const,
    operators: [
      { name: 'anna', key: 'operators/anna.pem' },
      { name: 'boris', key: 'operators/boris.pem' },
    ],
    approvals: 2,
    madeIn: ['ab'.repeat(48)],
    pin: 'policy' as const,
  };
  const names = ['operators/anna.pem', 'operators/boris.pem'];
  const withKeys = new Map([...files, ...names.map((name) => [name, sha256(name)] as const)]);
  const state = (given: typeof files) => stateRuntime({ ...facts, config: { ...config, keys }, files: given });
  const { statement, encoding } = state(withKeys);
  t.same(statement.keys, {
    source: 'parent',
    pin: 'policy',
    operators: [
      { name: 'anna', key: sha256('operators/anna.pem') },
      { name: 'boris', key: sha256('operators/boris.pem') },
    ],
    approvals: 2,
    ceremony: 'refused',
    madeIn: ['ab'.repeat(48)],
    formerKmsKeys: [],
    keeper: { kind: 'kms' },
  });
  t.same(decodeStatement(encoding), statement);
  throwsCode(() => state(files), AttestationError, 'ATTESTATION_FOLDER_UNREADABLE');
});

t.test('states who keeps the keys together, and what is encrypted to whom', async (t) => {
  const operators = ['anna', 'boris'].map((name) => ({
    name,
    key: `${name}.pem`,
    encryptionKey: `${name}.x25519.pem`,
  }));
  const named = operators.flatMap(({ key, encryptionKey }) => [key, encryptionKey]);
  const withKeys = new Map([...files, ...named.map((name) => [name, sha256(name)] as const)]);
  const parent = { source: 'parent' as const, operators };
  const byOperators = { kind: 'operators' as const, k: 2, operators: ['boris', 'anna'] };
  const withoutKms = { ...config, kms: undefined, keys: { ...parent, keeper: byOperators } };
  const { statement, encoding } = stateRuntime({ ...facts, config: withoutKms, files: withKeys });
  const recipients = ['boris', 'anna'].map((name) => ({ name, encryptionKey: sha256(`${name}.x25519.pem`) }));
  t.match(statement, { kms: null, keys: { keeper: { kind: 'operators', k: 2, operators: recipients } } });
  t.same(decodeStatement(encoding), statement);
  const shared = [
    { keyArn: kms.keyArn, route: 'kms' as const },
    { keyArn: 'arn:other', route: 'kms2' as const },
  ];
  const byKmsKeys = { ...parent, keeper: { kind: 'threshold' as const, k: 2, keys: shared } };
  const state = stateRuntime({ ...facts, config: { ...config, keys: byKmsKeys }, files: withKeys });
  t.match(state.statement.keys, { keeper: { kind: 'threshold', k: 2, keys: [kms.keyArn, 'arn:other'] } });
});

t.test('rejects what has no canonical form or is too long (ATTESTATION_STATEMENT_IMPOSSIBLE)', async () => {
  const contexts = [
    { größe: 'x' },
    { a: 'x'.repeat(4_097) },
    { a: '\ud800' },
    { a: 'which jq escapes: \x7f' },
    Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, 'x'.repeat(4_000)])),
  ];
  for (const encryptionContext of contexts) {
    const changed = { ...config, kms: { ...kms, encryptionContext } };
    const state = () => stateRuntime({ ...facts, config: changed });
    throwsCode(state, AttestationError, 'ATTESTATION_STATEMENT_IMPOSSIBLE');
  }
});

t.test('rejects a folder without the file of an authority (ATTESTATION_FOLDER_UNREADABLE)', async () => {
  const state = () => stateRuntime({ ...facts, files: new Map() });
  throwsCode(state, AttestationError, 'ATTESTATION_FOLDER_UNREADABLE');
});
