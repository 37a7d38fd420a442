/** `acra-enclave guard check-db` as a user runs it. */
import { once } from 'node:events';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { caseDatabase, LOGIN } from '../acra/catalogue/support/database.ts';
import { PROJECT } from '../project/imports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

/** With the configuration of the examples, whose table the database of the cases has. */
function enclaveFolder(t: Test, guard = 'guard: {list: guard-list.yaml}\n'): string {
  const folder = temporaryFolder(t);
  const text = readFileSync(join(PROJECT, 'examples/enclave.yaml'), 'utf8');
  writeFileSync(join(folder, 'enclave.yaml'), text.replace(/^guard:\n(?: .*\n)+/m, guard));
  copyFileSync(join(PROJECT, 'examples/encryptor.yaml'), join(folder, 'encryptor.yaml'));
  return folder;
}

interface At {
  readonly host: string;
  readonly port: number;
}

function check(folder: string, { host, port }: At, words: readonly string[], environment = {}) {
  const login = ['--user', LOGIN.user, '--database', LOGIN.database, '--host', host, '--port', String(port)];
  return acraEnclave(['guard', 'check-db', '--enclave', folder, ...login, ...words], {
    PGPASSWORD: LOGIN.password,
    ...environment,
  });
}

const PLAIN = ['--plaintext'];

t.test('a database', async (t) => {
  const { judge, address, client } = await caseDatabase(t);
  await judge('DROP FUNCTION save(text)');

  await t.test('writes the list once, and says then that there is nothing to do', async (t) => {
    const folder = enclaveFolder(t);
    const file = join(folder, 'guard-list.yaml');
    const first = await check(folder, address, PLAIN);
    t.equal(first.code, 1, first.stderr);
    t.match(
      first.stdout,
      /differs .*guard-list\.yaml; --write writes it\n {2}\+ relations: notes\n {2}\+ functions: touch\n/,
    );
    t.notOk(readdirSync(folder).includes('guard-list.yaml'), 'nothing was written');
    const written = await check(folder, address, [...PLAIN, '--write']);
    t.equal(written.code, 0, written.stderr);
    const text = readFileSync(file, 'utf8');
    t.match(
      text,
      /^# Written by `acra-enclave guard check-db --write`.*\nversion: 1\nrelations:\n {2}- notes\nfunctions:\n {2}- touch\noperators: \[\]\nuniqueSearches: \[\]\n$/s,
    );
    const again = await check(folder, address, [...PLAIN, '--write', '--json']);
    t.equal(again.code, 0, again.stderr);
    t.match(JSON.parse(again.stdout), {
      findings: [],
      difference: { added: [], removed: [] },
      isWritten: false,
      list: { relations: ['notes'] },
    });
    t.equal(readFileSync(file, 'utf8'), text, 'the same bytes');
    t.same(readdirSync(folder).toSorted(), ['enclave.yaml', 'encryptor.yaml', 'guard-list.yaml']);
  });

  await t.test('tells findings with exit code 1, and what is to be taken from the list', async (t) => {
    const folder = enclaveFolder(t);
    writeFileSync(join(folder, 'guard-list.yaml'), 'version: 1\nrelations: [notes, gone]\nfunctions: [touch]\n');
    await client.query('CREATE VIEW seen AS SELECT * FROM patients');
    const { code, stdout } = await check(folder, address, PLAIN);
    await client.query('DROP VIEW seen');
    t.equal(code, 1);
    t.match(stdout, /warning DB_VIEW: view public\.seen: reads or writes table public\.patients, which is protected\n/);
    t.match(stdout, /differs.*\n {2}- relations: gone\n/);
  });

  await t.test('keeps uniqueSearches that the database bears out, and tells those that it does not', async (t) => {
    const folder = enclaveFolder(t);
    const file = join(folder, 'guard-list.yaml');
    writeFileSync(file, "version: 1\nuniqueSearches: ['patients.(name,email)', 'patients.(id,email)']\n");
    await client.query('CREATE UNIQUE INDEX own ON patients (name, substr(email, 1, 33))');
    const { code, stdout } = await check(folder, address, [...PLAIN, '--write']);
    await client.query('DROP INDEX own');
    t.equal(code, 1);
    t.match(stdout, /warning DB_SEARCH_NOT_UNIQUE: uniqueSearches: "patients\.\(id,email\)": no unique index/);
    t.match(stdout, /\n {2}- uniqueSearches: patients\.\(id,email\)\n/);
    t.match(readFileSync(file, 'utf8'), /\nuniqueSearches:\n {2}- patients\.\(name,email\)\n$/);
  });

  await t.test('tells a list that enclave.yaml does not use', async (t) => {
    const { code, stdout } = await check(enclaveFolder(t, ''), address, [...PLAIN, '--write']);
    t.equal(code, 1);
    t.match(stdout, /warning DB_LIST_UNUSED/);
  });

  await t.test('says nothing of a list where acra-server is in line', async (t) => {
    const folder = enclaveFolder(t, '');
    const file = join(folder, 'enclave.yaml');
    const text = readFileSync(file, 'utf8');
    const ofTermination = /^ {2}(?:login: .*|users:.*\n(?: {4}.*\n)+)/gm;
    writeFileSync(file, text.replace('tls: terminate  ', 'tls: passthrough').replace(ofTermination, ''));
    const { code, stdout, stderr } = await check(folder, address, [...PLAIN, '--write']);
    t.equal(code, 0, stderr);
    t.match(stdout, 'no list: ');
    t.notOk(readdirSync(folder).includes('guard-list.yaml'));
  });

  await t.test('rejects a file that is no list, and leaves it as it is', async (t) => {
    const folder = enclaveFolder(t, 'guard: {list: encryptor.yaml}\n');
    const before = readFileSync(join(folder, 'encryptor.yaml'), 'utf8');
    const { code, stderr } = await check(folder, address, [...PLAIN, '--write']);
    t.equal(code, 78, stderr);
    t.equal(readFileSync(join(folder, 'encryptor.yaml'), 'utf8'), before);
  });

  await t.test(
    'takes the password from a file, and rejects one that is wrong or missing with exit code 69',
    async (t) => {
      const folder = enclaveFolder(t);
      const file = join(folder, 'password');
      writeFileSync(file, `${LOGIN.password}\n`);
      const none = { PGPASSWORD: undefined };
      t.equal((await check(folder, address, [...PLAIN, '--password-file', file], none)).code, 1);
      for (const environment of [none, { PGPASSWORD: 'a-wrong-one' }]) {
        const { code, stderr } = await check(folder, address, PLAIN, environment);
        t.equal(code, 69, stderr);
        t.match(stderr, 'error CLI_DATABASE');
        t.notMatch(stderr, 'a-wrong-one');
      }
      writeFileSync(file, 'two\nlines\n');
      t.match((await check(folder, address, [...PLAIN, '--password-file', file])).stderr, 'error CLI_OPTION');
    },
  );
});

const AUTHENTICATION = { cleartext: 3, MD5: 5 };

/** A server that answers the start-up packet by asking for the password, and keeps what it gets after that. */
async function askingServer(t: Test, how: number): Promise<{ readonly at: At; readonly heard: Buffer[] }> {
  const heard: Buffer[] = [];
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.on('data', (bytes: Buffer) => heard.push(bytes));
      const salt = how === AUTHENTICATION.MD5 ? [1, 2, 3, 4] : [];
      socket.write(Buffer.from([0x52, 0, 0, 0, 8 + salt.length, 0, 0, 0, how, ...salt]));
    });
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { at: { host: '127.0.0.1', port }, heard };
}

for (const [name, how] of Object.entries(AUTHENTICATION)) {
  t.test(`sends no password to a server that asks for it by ${name}`, async (t) => {
    const { at, heard } = await askingServer(t, how);
    const { code, stderr } = await check(enclaveFolder(t), at, PLAIN);
    t.equal(code, 69, stderr);
    t.match(stderr, 'not by SCRAM-SHA-256');
    t.equal(Buffer.concat(heard).toString('hex'), '5800000004', 'Terminate, and nothing else');
  });
}
