/**
 * Every form of docs/fail-closed.md, and the other tests that depend on what the database is, on each PostgreSQL that
 * POSTGRES_VERSIONS names (`make test-postgres`). A form that a version does not have is skipped by its name: the same statement on
 * plain columns fails there too. All versions in all protocols make the table of docs/fail-closed.md.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import t, { type Test } from 'tap';
import { PROJECT } from '../project/imports.ts';
import { acraUnderTest } from '../support/stack.ts';
import type { Form } from './support/form.ts';
import { cellOf, withTable } from './support/page.ts';
import { guardedPlace } from './support/place.ts';
import { observe, outcomeOf, type Place, PROTOCOLS, type Protocol, type Session } from './support/run-form.ts';
import { SEARCHES } from './support/searches.ts';
import { OWN_VERSION, packageOf, type Ran, type VersionResults, versionsTable } from './support/versions.ts';
import { WRITES } from './support/writes.ts';

const VERSIONS = (process.env['POSTGRES_VERSIONS'] ?? '').split(' ').filter((version) => version !== '');
const ALL_VERSIONS = ['13', '14', '15', '16', '17', OWN_VERSION];
const ONLY = process.env['POSTGRES_PROTOCOLS']?.split(' ');
const protocols = PROTOCOLS.filter((protocol) => ONLY?.includes(protocol) ?? true);
/** Some protocols alone are a quick look, without what takes long. */
const isQuick = protocols.length < PROTOCOLS.length;
const isWhole = !isQuick && ALL_VERSIONS.every((version) => VERSIONS.includes(version));

const FORMS = Object.entries<Form>({ ...WRITES, ...SEARCHES });
const LONG_TESTS = [
  'test/fail-closed/chance.test.ts',
  'test/postgres/real-settings.test.ts',
  'test/clients/node.test.ts',
];
/** What depends on the database: all of this folder but what has the same forms, and how sessions begin. */
const OTHER_TESTS = [
  ...globSync('test/fail-closed/*.test.ts', { cwd: PROJECT }).filter(
    (file) => !(LONG_TESTS.includes(file) || /\/(?:forms|page|versions)\.test\.ts$/.test(file)),
  ),
  'test/sessions/edge/real-database.test.ts',
  'test/postgres/real-startup.test.ts',
  'test/postgres/scram/client-database.test.ts',
  ...(isQuick ? [] : LONG_TESTS),
];

/** A table of the same name without protected columns. */
const PLAIN = `
CREATE SCHEMA plain;
CREATE TABLE plain.patients (id integer PRIMARY KEY, name text NOT NULL, email text, diagnosis text);
`;

/** What the server says of the statement where nothing is protected; undefined when it carries it out. */
async function failsOnPlain(place: Place, form: Form, protocol: Protocol): Promise<string | undefined> {
  const { owner } = place;
  await owner.query('SET search_path = plain');
  const outcome = await outcomeOf({ ...place, application: owner as Session }, form, protocol);
  await owner.query('ROLLBACK; RESET search_path');
  return outcome.kind === 'failed' ? outcome.sqlState : undefined;
}

async function runForm(place: Place, name: string, form: Form, protocol: Protocol): Promise<Ran> {
  const observed = await observe(place, form, protocol);
  const cell = cellOf(observed, form);
  const isExpected = form.ends === 'works' ? cell === 'works' : cell.startsWith('refused');
  const plain = isExpected || observed.outcome.kind === 'works' ? undefined : await failsOnPlain(place, form, protocol);
  const isUnknown = cell.startsWith('refused') || cell === `error ${plain}`;
  return { form: name, cell, unknown: isUnknown ? plain : undefined };
}

async function runForms(t: Test, folder: string | undefined): Promise<VersionResults> {
  const place = await guardedPlace(t, { databasePackage: folder });
  await place.owner.query(PLAIN);
  const ran: Ran[] = [];
  for (const [name, form] of FORMS) {
    for (const protocol of form.isSimpleOnly ? protocols.filter((each) => each === 'simple') : protocols) {
      const one = await runForm(place, name, form, protocol);
      ran.push(one);
      const says = `${form.ends === 'works' ? 'protects' : 'refuses'} ${name}, ${protocol}`;
      if (one.unknown === undefined) t.match(one.cell, form.ends === 'works' ? /^works$/ : /^refused/, says);
      else t.pass(says, { skip: `this PostgreSQL does not have it (${one.unknown} on plain columns)` });
    }
  }
  await t.test('refuses what it would read otherwise', (t) => readsOtherwise(t, place));
  const { rows } = await place.owner.query<{ server_version: string }>('SHOW server_version');
  return { version: rows[0]?.server_version.split(' ')[0] ?? '', ran };
}

/** Tests of their own, with the databases of this version. */
async function runOthers(t: Test, folder: string | undefined): Promise<void> {
  const env = { ...process.env, ...(folder === undefined ? {} : { POSTGRES_PACKAGE: folder }) };
  for (const file of OTHER_TESTS) await t.spawn(process.execPath, [file], { env, cwd: PROJECT }, file);
}

/** What `SELECT 1_000` and `SELECT 0x1F` give, by the names of their columns: older ones take the digits behind the first for a name. */
async function readsOtherwise(t: Test, place: Place): Promise<void> {
  for (const number of ['1_000', '0x1F']) {
    const text = `SELECT id, ${number} FROM patients`;
    const own = await place.owner.query(text).catch(() => undefined);
    const isAlike = own?.fields[1]?.name === '?column?';
    for (const queryMode of ['simple', 'extended']) {
      const asked = place.application.query({ text, queryMode } as pg.QueryConfig);
      if (isAlike) await t.resolves(asked, `${text}, ${queryMode}`);
      else await t.rejects(asked, { code: '0A000', message: /^refused by acra-enclave: / }, `${text}, ${queryMode}`);
    }
  }
}

const results: VersionResults[] = [];
for (const version of VERSIONS) {
  const found = packageOf(version);
  const skip = 'missing' in found && found.missing;
  if ('missing' in found) results.push({ version, ...found });
  t.test(`PostgreSQL ${version}`, { skip }, async (t) => {
    const folder = 'folder' in found ? found.folder : undefined;
    await t.test('forms through the guard', async (t) => void results.push(await runForms(t, folder)));
    // The checkout's own runs them in `make test`.
    if (version !== OWN_VERSION) await runOthers(t, folder);
  });
}

t.test('writes the table of versions', { skip: !isWhole && 'not all versions in all protocols' }, async (t) => {
  const program = await acraUnderTest();
  const acra = program.kind === 'stand-in' ? 'the stand-in for acra-server' : `acra-server (sha256 ${program.sha256})`;
  const made = `Made on ${new Date().toISOString().slice(0, 10)} with ${acra}, by form and protocol.`;
  const file = join(PROJECT, 'docs/fail-closed.md');
  writeFileSync(file, withTable(readFileSync(file, 'utf8'), 'versions', `${made}\n\n${versionsTable(results)}`));
  t.equal(results.length, ALL_VERSIONS.length);
});
