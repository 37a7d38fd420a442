/** `acra-enclave config check` as a user runs it. */
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT } from '../project/imports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const MASKED = `schemas:
  - table: v
    columns: [id, no, c]
    encrypted:
      - {column: c, data_type: str, masking: xx, plaintext_length: 2, plaintext_side: left}
`;

function written(t: Parameters<typeof temporaryFolder>[0], name: string, text: string | Buffer) {
  const folder = temporaryFolder(t);
  const file = join(folder, name);
  writeFileSync(file, text);
  return { folder, file };
}

t.test('keeps valid what acra-server can do, and warns where only the stand-in is there', async (t) => {
  const { folder, file } = written(t, 'encryptor.yaml', MASKED);
  const environment = { XDG_CACHE_HOME: folder, HOME: folder, ACRA_SERVER: undefined };
  const alone = await acraEnclave(['config', 'check', file], environment);
  t.equal(alone.code, 0, alone.stderr);
  t.match(alone.stdout, /valid .*encryptor\.yaml/);
  t.match(alone.stdout, /warning .*:5: .*keeps this much of each value in plaintext/);
  t.match(alone.stdout, /warning .*ENCRYPTOR_STAND_IN: table "v", column "c": the stand-in cannot do masking/);
  const program = join(folder, 'acra-server');
  writeFileSync(program, '');
  chmodSync(program, 0o755);
  const named = await acraEnclave(['config', 'check', '--json', file], { ...environment, ACRA_SERVER: program });
  t.match(JSON.parse(named.stdout), { valid: true, files: [file], warnings: [/plaintext/] });
  t.notMatch(named.stdout, 'ENCRYPTOR_STAND_IN');
});

t.test('rejects an alias in each file with its code, its place and exit code 78', async (t) => {
  for (const name of ['enclave.yaml', 'host-proxy.yaml', 'encryptor.yaml']) {
    const { file } = written(t, name, 'a: &x 1\nb: *x\n');
    const { code, stderr } = await acraEnclave(['config', 'check', file]);
    t.equal(code, 78, `${name}: ${stderr}`);
    t.match(stderr, new RegExp(`error (CONFIG|ENCRYPTOR)_SYNTAX: .*${name}:2:4: aliases are not allowed`));
  }
});

t.test(
  'rejects an alias at the start of the daemon with exit code 78, so that systemd does not start it again',
  async (t) => {
    const { file } = written(t, 'host-proxy.yaml', 'a: &x 1\nb: *x\n');
    for (const command of ['host-proxy', 'run']) {
      const { code, stderr } = await acraEnclave([command, '--config', file]);
      t.equal(code, 78, stderr);
      t.match(stderr, 'error CONFIG_SYNTAX');
    }
  },
);

t.test(
  'rejects a list of receivers that contradicts the encryptor configuration, each entry with its path',
  async (t) => {
    const list = `version: 1
relations: [notes, patients, pg_settings, pg_notes]
functions: [touch, query_to_xml]
uniqueSearches: [patients.email, patients.diagnosis, gone.email, 'patients.(name,email)', 'patients.(email,diagnosis)']
`;
    const { folder, file } = written(t, 'guard-list.yaml', list);
    t.equal((await acraEnclave(['config', 'check', file])).code, 0, 'alone it has a form only');
    for (const name of ['enclave.yaml', 'encryptor.yaml'])
      copyFileSync(join(PROJECT, 'examples', name), join(folder, name));
    const { code, stderr } = await acraEnclave(['config', 'check', file]);
    t.equal(code, 78, stderr);
    t.match(stderr, /relations\.1: "patients" is a table of the encryptor configuration/);
    t.match(stderr, /relations\.2: "pg_settings" /);
    t.match(stderr, /functions\.1: "query_to_xml" runs a text/);
    t.match(stderr, /uniqueSearches\.1: "patients\.diagnosis" is no searchable column/);
    t.match(stderr, /uniqueSearches\.2: "gone\.email" /);
    t.match(stderr, /uniqueSearches\.4: "patients\.\(email,diagnosis\)" /);
    t.notMatch(stderr, /relations\.[03]|functions\.0|uniqueSearches\.0|uniqueSearches\.3/);
    t.match((await acraEnclave(['config', 'check', join(folder, 'enclave.yaml')])).stderr, 'relations.1');
  },
);
