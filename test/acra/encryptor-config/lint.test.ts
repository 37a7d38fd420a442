import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadEncryptorConfig, parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { EncryptorError } from '../../../acra/errors.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { atRest } from '../support/at-rest.ts';

const parse = (text: string) => parseEncryptorConfig(text, 'encryptor.yaml');
const invalid = (text: string) => throwsCode(() => parse(text), EncryptorError, 'ENCRYPTOR_INVALID').message;

/** Both are refusals. */
function invalidOrSyntax(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof EncryptorError) return error.message;
  }
  return 'taken';
}

const SOUND = `schemas:
  - table: users
    columns: [id, email, secret]
    encrypted:
      - column: email
        searchable: true
        data_type: str
      - column: secret
        client_id: tenant-7
        data_type_db_identifier: 17
        response_on_fail: error
`;

t.test('reads a sound configuration, defaults applied', async (t) => {
  const { tables, warnings } = parse(SOUND);
  const users = tables.get('users');
  t.same(users?.columns, ['id', 'email', 'secret']);
  t.same(users?.encrypted.get('email'), {
    table: 'users',
    name: 'email',
    clientId: undefined,
    envelope: 'acrablock',
    reencryptsToAcraBlock: true,
    dataType: 'str',
    onFail: 'ciphertext',
    defaultValue: undefined,
    searchable: true,
    masking: undefined,
  });
  t.match(users?.encrypted.get('secret'), { clientId: 'tenant-7', dataType: 'bytes', onFail: 'error' });
  t.same(warnings, []);
});

t.test('reads the configuration under which acra-server wrote the vectors', async (t) => {
  t.same([...parse(atRest.encryptorConfig).tables.get('v')!.encrypted.keys()], ['email', 'secret', 'blob']);
});

t.test('applies the defaults of the file', async (t) => {
  const text = `defaults: {crypto_envelope: acrastruct}\n${SOUND}`;
  t.equal(parse(text).tables.get('users')?.encrypted.get('email')?.envelope, 'acrastruct');
});

const misspelt = [
  { text: SOUND.replace('searchable:', 'searchble:'), line: 6, wrong: 'searchble', meant: 'searchable' },
  { text: SOUND.replace('encrypted:', 'encripted:'), line: 4, wrong: 'encripted', meant: 'encrypted' },
  { text: SOUND.replace('schemas:', 'schema:'), line: 1, wrong: 'schema', meant: 'schemas' },
  { text: SOUND.replace('client_id', 'clientId'), line: 9, wrong: 'clientId', meant: 'client_id' },
  {
    text: `defaults:\n  crypto-envelope: acrablock\n${SOUND}`,
    line: 2,
    wrong: 'crypto-envelope',
    meant: 'crypto_envelope',
  },
];
for (const { text, line, wrong, meant } of misspelt) {
  t.test(`rejects the misspelt key ${wrong}, its line and what was meant (ENCRYPTOR_INVALID)`, async (t) => {
    const message = invalid(text);
    t.match(message, `encryptor.yaml:${line}: `);
    t.match(message, `unknown key "${wrong}", which acra-server would ignore; did you mean "${meant}"?`);
  });
}

t.test('lists what is allowed where nothing is near (ENCRYPTOR_INVALID)', async (t) => {
  t.match(invalid(SOUND.replace('searchable', 'zzzzzzzzzzzz')), /allowed here: column, client_id, /);
});

t.test('names all findings at once, those of unknown keys and of rules alike, in the order of lines', async (t) => {
  const text = `schemas:
  - table: public.users
    columns: [id, email, email]
    encrypted:
      - column: secret
        searchble: true
      - column: email
        token_type: str
      - column: email
        masking: xxxx
`;
  const found = [...invalid(text).matchAll(/encryptor\.yaml:(\d+): /g)].map((match) => Number(match[1]));
  t.same(found, [2, 3, 5, 6, 8, 9, 9]);
});

const refused: [string, string, RegExp][] = [
  ['a table without columns', SOUND.replace('    columns: [id, email, secret]\n', ''), /:2: schemas\.0\.columns: /],
  [
    'an encrypted column that is not among the columns',
    SOUND.replace('column: secret', 'column: password'),
    /:8: .*not among the columns/,
  ],
  [
    'a table that stands there twice',
    `${SOUND}${SOUND.replace('schemas:\n', '')}`,
    /:12: .*"users" stands here a second time/,
  ],
  ['a column that stands there twice', SOUND.replace('[id, ', '[id, id, '), /:3: .*"id" stands here a second time/],
  ['a column that is encrypted twice', SOUND.replace('column: secret', 'column: email'), /:8: .*a second time/],
  ['a double quote in the name of a table', SOUND.replace('table: users', `table: 'us"ers'`), /double quote/],
  [
    'a name of a table that PostgreSQL would cut',
    SOUND.replace('table: users', `table: ${'ü'.repeat(32)}`),
    /63 bytes/,
  ],
  ['a schema in the name of a table', SOUND.replace('table: users', 'table: public.users'), /bare names/],
  ['a client id that acra-server refuses', SOUND.replace('tenant-7', 'a/b'), /:9: .*client_id.*5 to 243/],
  ['a value of another type', SOUND.replace('searchable: true', 'searchable: "true"'), /:6: .*expected boolean/],
  ['an unknown data type', SOUND.replace('data_type: str', 'data_type: text'), /:7: /],
  ['an unknown type OID', SOUND.replace('identifier: 17', 'identifier: 1043'), /:10: /],
  [
    'both settings of the type',
    SOUND.replace('data_type: str', 'data_type: str\n        data_type_db_identifier: 25'),
    /exclude each other/,
  ],
  [
    'tokenization, whose tokens would be lost',
    SOUND.replace('data_type: str', 'token_type: str'),
    /needs a Redis in acra.tokens.*tokens would be lost for good/,
  ],
  [
    'a default that is no number of its type',
    SOUND.replace(
      'data_type: str\n',
      'data_type: int32\n        response_on_fail: default_value\n        default_data_value: "2147483648"\n',
    ),
    /no 32-bit integer/,
  ],
  [
    'a default of bytes that is no base64',
    SOUND.replace('response_on_fail: error', 'default_data_value: "abc"'),
    /must be base64/,
  ],
  [
    'masking that lacks its length',
    SOUND.replace('response_on_fail: error', 'masking: xx\n        plaintext_side: left'),
    /needs all of masking/,
  ],
  ['a file that encrypts nothing', 'schemas:\n  - table: t\n    columns: [a]\n', /no column of any table is encrypted/],
  ['an empty file', '', /expected object/],
  ['a name without text', SOUND.replace('[id,', '[~,'), /:3: .*columns\.0: expected a text, found nothing/],
  [
    'a key without a value',
    SOUND.replace('client_id: tenant-7', 'client_id:'),
    /:9: .*found nothing; leave the key out/,
  ],
  ['an integer in quotes', SOUND.replace('identifier: 17', "identifier: '17'"), /:10: .*an integer, without quotes/],
  ['a fraction for an integer', SOUND.replace('identifier: 17', 'identifier: 17.0'), /:10: .*an integer/],
  ['a list for a text', SOUND.replace('client_id: tenant-7', 'client_id: [a]'), /:9: .*one value, not a list/],
];
for (const [what, text, expected] of refused) {
  t.test(`rejects ${what} (ENCRYPTOR_INVALID)`, async (t) => {
    t.match(invalid(text), expected);
  });
}

const broken: [string, string][] = [
  ['text that is no YAML', 'schemas: [unclosed'],
  ['a key that stands there twice', SOUND.replace('searchable: true', 'searchable: true\n        searchable: false')],
  ['an alias', 'schemas: &a []\ndefaults: *a\n'],
  ['a second document', `${SOUND}---\n${SOUND}`],
];
for (const [what, text] of broken) {
  t.test(`rejects ${what} (ENCRYPTOR_SYNTAX)`, async () => {
    throwsCode(() => parse(text), EncryptorError, 'ENCRYPTOR_SYNTAX');
  });
}

t.test('takes a scalar for what its field is, as acra-server does', async (t) => {
  const words = [
    'no',
    'y',
    'on',
    'off',
    'True',
    '42',
    '0x1f',
    '010',
    '1_000',
    '1.5',
    '.inf',
    '2020-01-01',
    '12:30',
    '"x"',
    "'~'",
  ];
  const text = SOUND.replace('[id, email, secret]', `[${words.join(', ')}, email, secret]`)
    .replace('tenant-7', '20260101')
    .replace('identifier: 17', 'identifier: 0x19')
    .replace('response_on_fail: error', 'default_data_value: 1_000')
    .replace('searchable: true', 'searchable: Yes');
  const users = parse(text).tables.get('users');
  t.same(users?.columns.slice(0, -2), [...words.slice(0, -2), 'x', '~'], 'as they are written');
  t.match(users?.encrypted.get('secret'), { clientId: '20260101', dataType: 'str', defaultValue: '1_000' });
  t.equal(users?.encrypted.get('email')?.searchable, true);
});

t.test('takes integers as Go reads them', async (t) => {
  for (const written of ['25', '+25', '0x19', '0X19', '031', '0o31', '0b11001', '2_5']) {
    const type = parse(SOUND.replace('identifier: 17', `identifier: ${written}`))
      .tables.get('users')
      ?.encrypted.get('secret');
    t.equal(type?.dataType, 'str', written);
  }
  for (const written of ['08', '2e1', '"25"', 'yes', '0x', '--25']) {
    t.match(invalid(SOUND.replace('identifier: 17', `identifier: ${written}`)), /an integer/, written);
  }
});

t.test('takes booleans as Go reads them, and nothing in quotes', async (t) => {
  for (const written of ['y', 'Y', 'yes', 'on', 'ON', 'true', 'True']) {
    t.equal(
      parse(SOUND.replace('searchable: true', `searchable: ${written}`))
        .tables.get('users')
        ?.encrypted.get('email')?.searchable,
      true,
    );
  }
  for (const written of ['n', 'No', 'off', 'FALSE']) {
    t.equal(
      parse(SOUND.replace('searchable: true', `searchable: ${written}`))
        .tables.get('users')
        ?.encrypted.get('email')?.searchable,
      false,
    );
  }
  for (const written of ['"true"', '1', 'tRue', 'yEs', '!!str true']) {
    t.match(invalidOrSyntax(SOUND.replace('searchable: true', `searchable: ${written}`)), /boolean|tag/, written);
  }
});

t.test('warns of settings that weaken the protection', async (t) => {
  const masked = 'masking: xxxx\n        plaintext_length: 4\n        plaintext_side: right';
  const text = SOUND.replace('response_on_fail: error', masked)
    .replace('searchable: true', 'crypto_envelope: acrastruct')
    .replace('table: users', 'table: Users');
  const { warnings } = parse(text);
  t.same(
    warnings.map(({ line }) => line),
    [2, 6, 12],
  );
});

t.test('rejects a file that cannot be read or is too large (ENCRYPTOR_FILE_READ)', async (t) => {
  const folder = temporaryFolder(t);
  await rejectsCode(async () => loadEncryptorConfig(join(folder, 'none')), EncryptorError, 'ENCRYPTOR_FILE_READ');
  const large = join(folder, 'large');
  writeFileSync(large, Buffer.alloc(1024 * 1024 + 1, 0x20));
  await rejectsCode(async () => loadEncryptorConfig(large), EncryptorError, 'ENCRYPTOR_FILE_READ');
});
