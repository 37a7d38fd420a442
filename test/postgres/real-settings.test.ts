/** Settings as a real PostgreSQL takes them: what changes the reading is refused, what it takes as harmless passes. */
import fc from 'fast-check';
import { Client } from 'pg';
import t from 'tap';
import { readsAsUtf8, requireSafeSetting, requireSafeStartup } from '../../postgres/unsafe-settings.ts';
import { sqlStateOf } from '../emulator/acra-server/support/sql-state.ts';
import { startShop } from '../support/shop-database.ts';
import { startupOutcome, USER } from './support/startup-outcome.ts';

const server = await startShop(t, USER, undefined);

type Parameters = Readonly<Record<string, string>>;
const options = (text: string): Parameters => ({ options: text });

const CHANGES_THE_READING: readonly Parameters[] = [
  { standard_conforming_strings: 'off' },
  { Standard_Conforming_Strings: 'OF' },
  { standard_conforming_strings: 'f' },
  { standard_conforming_strings: '0' },
  { standard_conforming_strings: 'on', STANDARD_CONFORMING_STRINGS: 'no' },
  { client_encoding: 'SJIS' },
  { client_encoding: 'UTF8', Client_Encoding: 'shift-jis' },
  { client_encoding: '"B.i.g 5"' },
  { client_encoding: 'Windows-936' },
  { client_encoding: 'mskanji' },
  { client_encoding: 'SJ\xe9IS' },
  options('-c standard_conforming_strings=off'),
  options('-cstandard_conforming_strings=off'),
  options('-c standard-conforming-strings=off'),
  options('--standard_conforming_strings=off'),
  options('--Standard-Conforming-Strings=oFF'),
  options('  \t\n--standard-conforming-strings=off\v'),
  options('-c\tstandard_conforming_strings=off'),
  options('-c geqo=off -cstandard_conforming_strings=0'),
  options('-ec standard_conforming_strings=off'),
  options('-ecstandard_conforming_strings=off'),
  options('-e-standard_conforming_strings=off'),
  options('-enTc standard_conforming_strings=off'),
  options('-fs -fh -cstandard_conforming_strings=off'),
  options('-f s -c standard_conforming_strings=off'),
  options('-S 1024 -c standard_conforming_strings=off'),
  options('-S1024 -D /x -c standard_conforming_strings=off'),
  options('-v -c -c standard_conforming_strings=off'),
  options('-\\c standard_conforming_strings=off'),
  options('-c standard_conforming_\\strings=\\off'),
  options('-c client_encoding=S\\ J\\ I\\ S'),
  options('-c client_encoding=G\\\\BK'),
  options('-c client_encoding=johab\\'),
  options('-c client_encoding=UTF8 -c client_encoding=uhc'),
  options('--client-encoding=GB18030 --'),
  options('--client_encoding=Shift_JIS_2004'),
  options('-c application_name=-c\\ x -c client_encoding=win950'),
  { options: '-c standard_conforming_strings=off', standard_conforming_strings: 'off' },
  { replication: 'database' },
];

const IS_HARMLESS: readonly Parameters[] = [
  {},
  { standard_conforming_strings: 'on' },
  { standard_conforming_strings: 'TR' },
  { standard_conforming_strings: 'y' },
  { standard_conforming_strings: '1' },
  { client_encoding: 'UTF8' },
  { client_encoding: 'utf-8' },
  { client_encoding: "'Unicode'" },
  { client_encoding: 'LATIN1' },
  { client_encoding: 'windows-1252' },
  { client_encoding: 'SQL_ASCII' },
  { replication: 'false' },
  { replication: 'of' },
  { backslash_quote: 'on' },
  { escape_string_warning: 'off' },
  { application_name: '-c client_encoding=SJIS' },
  { search_path: 'standard_conforming_strings=off' },
  { 'my.client_encoding': 'SJIS' },
  options(''),
  options(' '),
  options('--'),
  options('-e'),
  options('-c geqo=off -c statement_timeout=5min'),
  options('--geqo=off --search-path=a,b'),
  options('-c search_path=a,\\ b'),
  options('-cdatestyle=ISO,\\ MDY'),
  options('-fsS1024'),
  options('-c application_name=-cclient_encoding=SJIS'),
  options('-c application_name=a\\ -cclient_encoding=SJIS'),
  options('-c application_name=\\\\ -c client_encoding=LATIN1'),
  options('-c application_name=a=b --standard_conforming_strings=on'),
  options('-S 64 -c standard_conforming_strings=true'),
];

/** PostgreSQL takes them, and nothing says so for every locale, version and C library: they are refused. */
const NOT_CERTAIN: readonly Parameters[] = [
  options('-c application_name=\xc3\xa4'),
  { client_encoding: 'EUC_JP' },
  { client_encoding: 'euc-kr' },
];

/** PostgreSQL refuses them by itself. */
const INVALID: readonly Parameters[] = [
  options('standard_conforming_strings=off'),
  options('x -c standard_conforming_strings=off'),
  options('-- -c standard_conforming_strings=off'),
  options('-o x'),
  options('-c'),
  options('-c standard_conforming_strings'),
  options('--standard_conforming_strings off'),
  options('-c -c standard_conforming_strings=off'),
  options('\\'),
  options('-c=x'),
  { client_encoding: '' },
  { client_encoding: 'nonsense' },
  { standard_conforming_strings: 'o' },
  { standard_conforming_strings: ' on' },
  { replication: 'maybe' },
];

/** Those that PostgreSQL has for clients alone: a byte of a character may be one of ASCII. */
const CLIENT_ONLY = /^(?:SJIS|BIG5|GBK|UHC|GB18030|JOHAB|SHIFT_JIS_2004)$/;

function refusal(parameters: Parameters): string | undefined {
  return sqlStateOf(() => requireSafeStartup({ minor: 0, parameters: new Map(Object.entries(parameters)) }));
}

async function outcome(parameters: Parameters): Promise<'changed' | 'same' | 'refused'> {
  const reported = await startupOutcome(server, Object.entries(parameters));
  if (typeof reported === 'string') return 'refused';
  const isChanged =
    reported.get('standard_conforming_strings') !== 'on' || CLIENT_ONLY.test(reported.get('client_encoding') ?? 'SJIS');
  return isChanged ? 'changed' : 'same';
}

const title = (parameters: Parameters) => JSON.stringify(parameters);

t.test('refuses what PostgreSQL takes and what changes the reading', async (t) => {
  for (const parameters of CHANGES_THE_READING) {
    if (!('replication' in parameters)) t.equal(await outcome(parameters), 'changed', title(parameters));
    t.equal(refusal(parameters), '22023', title(parameters));
  }
});

t.test('lets pass what PostgreSQL takes and what changes nothing', async (t) => {
  for (const parameters of IS_HARMLESS) {
    t.equal(await outcome(parameters), 'same', title(parameters));
    t.equal(refusal(parameters), undefined, title(parameters));
  }
});

t.test('refuses what is not certain', async (t) => {
  for (const parameters of NOT_CERTAIN) {
    t.equal(await outcome(parameters), 'same', title(parameters));
    t.equal(refusal(parameters), '22023', title(parameters));
  }
});

t.test('refuses what PostgreSQL refuses in options, and values that are none', async (t) => {
  for (const parameters of INVALID) {
    t.equal(await outcome(parameters), 'refused', title(parameters));
    t.equal(refusal(parameters), parameters['options'] === '-c=x' ? undefined : '22023', title(parameters));
  }
});

const FUZZ_RUNS = 200;
const SWITCH = fc.constantFrom('-c ', '-c', '--', '-enc ', '-fs -c', '-e-', '-S 1 -c', '-c\\ ', '-S', '-e');
const SETTING = fc.constantFrom(
  'Standard-conforming-strings=\\off',
  'client_encoding=sjis',
  'geqo=off',
  'search_path=--',
  '1',
  '',
);
const BETWEEN = fc.constantFrom(' ', ' ', '\t\n', '\\ ', '\\', '\\\\ ', ' -- ', '');
const OPTIONS = fc
  .array(fc.tuple(SWITCH, SETTING, BETWEEN), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.flat().join(''));

t.test('lets pass no options that change the reading, whatever they are put together of', async (t) => {
  const outcomes: string[] = [];
  for (const text of fc.sample(OPTIONS, { seed: 1, numRuns: FUZZ_RUNS })) {
    const known = await outcome(options(text));
    outcomes.push(known);
    if (known === 'changed') t.equal(refusal(options(text)), '22023', text);
    if (known === 'same') t.equal(refusal(options(text)), undefined, text);
  }
  t.ok(outcomes.filter((known) => known === 'changed').length > FUZZ_RUNS / 40);
  t.ok(outcomes.filter((known) => known === 'same').length > FUZZ_RUNS / 40);
});

/** What an error would end is null. */
const HELPERS = `
  CREATE FUNCTION pg_temp.converted(bytes bytea, encoding text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RETURN convert_from(bytes, encoding::name); EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$;
  CREATE FUNCTION pg_temp.is_on(text text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
    RETURN set_config('standard_conforming_strings', text, true) = 'on'; EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$`;

async function rows(sql: string, values: readonly string[]): Promise<Record<string, unknown>[]> {
  const { host, port, database } = server;
  const client = new Client({ host, port, database, user: USER.name, password: USER.password });
  await client.connect();
  try {
    await client.query(HELPERS);
    return (await client.query(sql, [values])).rows;
  } finally {
    await client.end();
  }
}

/** Every alias of src/common/encnames.c, and names that only look like one. */
const ENCODING_NAMES =
  `abc alt big5 euccn eucjis2004 eucjp euckr euctw gb18030 gbk iso88591 iso885910 iso885911 iso885912 iso885913 iso885914 iso885915
  iso885916 iso88592 iso88593 iso88594 iso88595 iso88596 iso88597 iso88598 iso88599 iso8859 johab koi8 koi8r koi8u koi8t latin latin0
  latin1 latin10 latin11 latin2 latin3 latin4 latin5 latin6 latin7 latin8 latin9 mskanji muleinternal shiftjis shiftjis2004 sjis
  sqlascii ascii tcvn tcvn5712 uhc unicode utf8 utf16 vscii win win1249 win1250 win1251 win1252 win1253 win1254 win1255 win1256 win1257
  win1258 win1259 win866 win874 win932 win936 win949 win950 windows windows1250 windows1251 windows1252 windows1253 windows1254
  windows1255 windows1256 windows1257 windows1258 windows866 windows874 windows932 windows936 windows949 windows950`.split(
    /\s+/,
  );

t.test('takes an encoding for what PostgreSQL takes it, under every alias and spelling', async (t) => {
  const noise = fc
    .array(fc.constantFrom('-', '_', ' ', "'", '.', '/'), { maxLength: 3 })
    .map((parts) => parts.join(''));
  const spelling = fc.tuple(fc.constantFrom(...ENCODING_NAMES), noise, noise, fc.nat(6), fc.boolean());
  const spelled = fc.sample(spelling, { seed: 1, numRuns: 300 }).map(([name, before, between, at, isUpper]) => {
    const noisy = `${before}${name.slice(0, at)}${between}${name.slice(at)}`;
    return isUpper ? noisy.toUpperCase() : noisy;
  });
  const names = [...ENCODING_NAMES, ...spelled];
  const found = await rows(
    `SELECT name, pg_encoding_to_char(id) AS encoding, pg_encoding_max_length(id) AS bytes
       FROM (SELECT name, pg_char_to_encoding(name::name) AS id FROM unnest($1::text[]) WITH ORDINALITY AS n (name, at) ORDER BY at) AS ids`,
    names,
  );
  t.equal(found.length, names.length);
  for (const { name, encoding, bytes } of found) {
    const isUtf8 = encoding === 'UTF8';
    const isSafe = isUtf8 || (encoding !== '' && bytes === 1);
    t.equal(
      sqlStateOf(() => requireSafeSetting('client_encoding', String(name))),
      isSafe ? undefined : '22023',
      String(name),
    );
    t.equal(readsAsUtf8(String(name)), isUtf8, String(name));
  }
  t.ok(found.some(({ encoding }) => CLIENT_ONLY.test(String(encoding))));
});

t.test('turns no character beyond ASCII of an encoding that passes into one of ASCII', async (t) => {
  const passing = ENCODING_NAMES.filter((name) => !sqlStateOf(() => requireSafeSetting('client_encoding', name)));
  const [found] = await rows(
    `SELECT count(*)::int AS characters, count(*) FILTER (WHERE octet_length(text) = 1)::int AS ascii
       FROM unnest($1::text[]) AS encoding, generate_series(128, 255) AS code,
            LATERAL (SELECT pg_temp.converted(set_byte('\\x00', 0, code), encoding) AS text) AS one WHERE text IS NOT NULL`,
    passing.filter((name) => !/^(?:utf8|unicode|sqlascii)$/.test(name)),
  );
  t.equal(found?.['ascii'], 0);
  t.ok(Number(found?.['characters']) > 2000);
});

/** The truth values of bool.c with all their beginnings, and what is near them. */
const BOOLEAN_TEXTS = [
  'true',
  'false',
  'yes',
  'no',
  'on',
  'off',
  '1',
  '0',
  'truex',
  'onn',
  'offs',
  '11',
  'none',
  'default',
]
  .flatMap((word) => [...word].map((_, index) => word.slice(0, index + 1)))
  .flatMap((text) => [text, text.toUpperCase(), ` ${text}`, `${text} `])
  .concat('', "'on'", '2');

t.test('takes a truth value for what PostgreSQL takes it', async (t) => {
  const found = await rows(`SELECT text, pg_temp.is_on(text) AS is_on FROM unnest($1::text[]) AS text`, BOOLEAN_TEXTS);
  for (const { text, is_on } of found) {
    const sqlState = sqlStateOf(() => requireSafeSetting('standard_conforming_strings', String(text)));
    t.equal(sqlState, is_on === true ? undefined : '22023', String(text));
  }
  t.ok(found.filter(({ is_on }) => is_on === true).length > 15);
});
