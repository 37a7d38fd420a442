/** Sections `ingress` and `database` of enclave.yaml: who ends TLS, and whom certificates may be in the database. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { enclaveSchema } from '../../config/enclave.ts';
import { ConfigError } from '../../config/errors.ts';
import { loadConfig } from '../../config/load.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const APP = { name: 'app', clients: ['CN=billing,O=Example'] };

interface Sections {
  readonly tls?: string;
  readonly database?: object;
  readonly acra?: object;
}

function load(t: Test, { tls, database = {}, acra = {} }: Sections) {
  const file = join(temporaryFolder(t), 'enclave.yaml');
  const document = {
    version: 1,
    name: 'records',
    ...(tls === undefined ? {} : { ingress: { tls } }),
    acra,
    database: { serverName: 'db.internal', ...database },
    kms: {
      keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      encryptionContext: { purpose: 'acra' },
    },
  };
  writeFileSync(file, stringify(document, { aliasDuplicateObjects: false }));
  return loadConfig(enclaveSchema, file);
}

t.test('lets TLS end in the enclave by default, with the certificate as login', async (t) => {
  const { ingress, database } = load(t, { database: { users: [APP] } });
  t.equal(ingress.tls, 'terminate');
  t.same(database.users, [{ ...APP, databases: ['app'], secret: 'database/app.sealed' }]);
  t.same(load(t, { tls: 'terminate', database: { login: 'certificate', users: [APP] } }).database.users.length, 1);
});

t.test('keeps what is stated of a user', async (t) => {
  const full = { ...APP, name: 'Ärzte/1', databases: ['clinic', 'archive'], secret: 'secrets/doctors' };
  t.same(load(t, { database: { users: [full, APP] } }).database.users[0], full);
});

t.test('keeps two secrets of a user, and verifiers in their place', async (t) => {
  const user = { ...APP, databases: ['app'], secret: 'database/app.sealed', nextSecret: 'database/app.next.sealed' };
  t.same(load(t, { database: { users: [user] } }).database.users, [user]);
  const { database } = load(t, { database: { login: 'verifier', users: [user] } });
  t.match(database, { login: 'verifier', users: [user] });
});

t.test('keeps clients with passwords of their own, and acra-server in line, without users', async (t) => {
  t.same(load(t, { database: { login: 'client' } }).database.users, []);
  t.same(load(t, { tls: 'passthrough', acra: { listen: 'unix:///run/acra.sock' } }).database.users, []);
});

t.test('lets one client be several users, and several clients one', async (t) => {
  const [other, many] = [
    { name: 'other', clients: APP.clients },
    { name: 'many', clients: ['CN=a', 'CN=b'] },
  ];
  t.equal(load(t, { database: { users: [APP, other, many] } }).database.users.length, 3);
});

t.test('names clients by the serial number where acra.clientIdFrom says so', async (t) => {
  const acra = { clientIdFrom: 'serial_number' };
  const users = [{ name: 'app', clients: ['0A1B', '7F'] }];
  t.same(load(t, { acra, database: { users } }).database.users[0]?.clients, ['0A1B', '7F']);
});

const withUsers = (...users: readonly object[]): Sections => ({ database: { users } });
const withClient = (client: unknown): Sections => withUsers({ ...APP, clients: [client] });
const withSerial = (client: unknown): Sections => ({ acra: { clientIdFrom: 'serial_number' }, ...withClient(client) });

const REFUSED: readonly (readonly [what: string, sections: Sections, says: string | RegExp])[] = [
  ['no users', {}, 'database.users: found nothing; must name at least one user of the database'],
  ['no users', {}, 'set ingress.tls: passthrough'],
  ['an empty list of users', withUsers(), 'database.users: found []; must name at least one user'],
  ['another place for TLS', { tls: 'off' }, 'ingress.tls: found "off"; must be "terminate" or "passthrough"'],
  [
    'another login',
    { database: { login: 'trust' } },
    'database.login: found "trust"; must be "certificate" or "verifier" or "client"',
  ],
  [
    'users of clients with passwords of their own',
    { database: { login: 'client', users: [APP] } },
    /database\.users: .*must be left out with database\.login: client: each client has a password of its own/,
  ],
  [
    'users with acra-server in line',
    { tls: 'passthrough', database: { users: [APP] } },
    /database\.users: .*must be left out with ingress\.tls: passthrough: clients log in to the database themselves/,
  ],
  [
    'a login with acra-server in line',
    { tls: 'passthrough', database: { login: 'client' } },
    /database\.login: found "client"; must be left out with ingress\.tls: passthrough/,
  ],
  [
    'an address of acra-server that no client is connected to',
    { ...withUsers(APP), acra: { listen: 'tcp://127.0.0.1:9393' } },
    /acra\.listen: found "tcp:.*must be left out with ingress\.tls: terminate/,
  ],
  ['a user without clients', withUsers({ name: 'app' }), 'database.users.0.clients: found nothing; must be a list'],
  ['an empty list of clients', withUsers({ ...APP, clients: [] }), 'clients: found []; must name at least one client'],
  ['an empty list of databases', withUsers({ ...APP, databases: [] }), 'databases: found []; must name at least one'],
  ['an unknown key of a user', withUsers({ ...APP, password: 'x' }), 'database.users.0: unknown key "password"'],
  ['a user without a name', withUsers({ ...APP, name: '' }), 'database.users.0.name: found ""; must be a name'],
  ['a name of 64 bytes', withUsers({ ...APP, name: 'ä'.repeat(32) }), /users\.0\.name: .*1 to 63 bytes/],
  ['a database of 64 bytes', withUsers({ ...APP, databases: ['x'.repeat(64)] }), /databases\.0: .*1 to 63 bytes/],
  ['a name with a zero byte', withUsers({ ...APP, name: 'a\0' }), /users\.0\.name: .*none of them zero/],
  ['a name that is no file name', withUsers({ ...APP, name: 'a/b' }), /users\.0\.secret: found nothing; must be given/],
  ['a name that is a hidden file', withUsers({ ...APP, name: '..' }), /users\.0\.secret: found nothing; must be given/],
  ['a secret outside of the folder', withUsers({ ...APP, secret: '../x' }), /users\.0\.secret: .*inside the folder/],
  [
    'more users than are opened at once',
    withUsers(...Array.from({ length: 101 }, (_, index) => ({ ...APP, name: `u${index}` }))),
    /database\.users: .*must have at most 100 entries/,
  ],
  ['a user twice', withUsers(APP, { ...APP, secret: 'x' }), /users\.1\.name: found "app"; must be there once/],
  [
    'one secret for two users',
    withUsers(APP, { ...APP, name: 'b', secret: 'database/./app.sealed' }),
    /users\.1\.secret: found "database\/\.\/app\.sealed"; must be a file of its own/,
  ],
  [
    'verifiers of no user',
    { database: { login: 'verifier' } },
    /database\.users: .*must name at least one user .*\(database\.login: verifier\)/,
  ],
  [
    'one file for both secrets of a user',
    withUsers({ ...APP, nextSecret: 'database/app.sealed' }),
    /users\.0\.nextSecret: found "database\/app\.sealed"; must be a file of its own/,
  ],
  [
    'the secret of a user as the next one of another',
    withUsers(APP, { ...APP, name: 'b', nextSecret: 'database/app.sealed' }),
    /users\.1\.nextSecret: .*must be a file of its own/,
  ],
  [
    'a next secret outside of the folder',
    withUsers({ ...APP, nextSecret: '/etc/x' }),
    /users\.0\.nextSecret: .*inside the folder/,
  ],
  ['a client twice', withUsers({ ...APP, clients: ['CN=a', 'CN=a'] }), /clients\.1: found "CN=a"; is there twice/],
  ['a database twice', withUsers({ ...APP, databases: ['a', 'a'] }), /databases\.1: found "a"; is there twice/],
  ['a client in another order', withClient('O=Example,CN=billing'), 'must be spelt "CN=billing,O=Example"'],
  [
    'a client with blanks',
    withClient('CN=billing, O=Example'),
    'clients.0: found "CN=billing, O=Example"; must be spelt',
  ],
  [
    'a client that is no subject',
    withClient('billing'),
    /clients\.0: found "billing"; must be the subject .*client-name/,
  ],
  ['a type that acra-server knows no name of', withClient('emailAddress=a@b'), /must be the subject .*client-name/],
  ['a subject where serial numbers are asked for', withSerial('CN=a'), /must be a serial number in hex .*client-name/],
  ['a serial number where subjects are asked for', withClient('0A1B'), /must be the subject of a client certificate/],
  ['a serial number in small letters', withSerial('0a:1b'), 'must be spelt "0A1B"'],
  ['a serial number with zeros in front', withSerial('000A1B'), 'must be spelt "0A1B"'],
  ['a serial number of half a byte', withSerial('A1B'), 'must be spelt "0A1B"'],
  ['a serial number of zero', withSerial('00'), 'must be a serial number in hex'],
  ['a serial number without quotes', withSerial(12), 'clients.0: found 12; must be text; a serial number needs quotes'],
];

for (const [what, sections, says] of REFUSED)
  t.test(`rejects ${what}, by its path (CONFIG_INVALID)`, async (t) => {
    const { message } = throwsCode(() => load(t, sections), ConfigError, 'CONFIG_INVALID');
    t.match(message, says);
    t.notMatch(message, /Invalid|received/);
  });

t.test('rejects several mistakes of users at once', async (t) => {
  const users = [APP, { name: 'app', clients: ['nobody', 'O=b,CN=a'] }];
  const { message } = throwsCode(() => load(t, { database: { users } }), ConfigError, 'CONFIG_INVALID');
  for (const path of ['users.1.name', 'users.1.secret', 'clients.0', 'clients.1']) t.match(message, path);
});
