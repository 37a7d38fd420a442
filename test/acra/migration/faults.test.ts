/** What `guard.migrations` may not say beside an encryptor configuration. */
import t from 'tap';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { requireMigrations } from '../../../acra/migration/faults.ts';

const MIGRATION = { table: 'patients', column: 'name', beside: 'name_protected', old: 'name_plain' };
const { tables } = parseEncryptorConfig(
  `schemas:
  - table: patients
    columns: [id, name, ward, name_protected, ward_protected, city, city_protected]
    encrypted:
      - {column: name, data_type: str, searchable: true}
      - {column: name_protected, data_type: str, searchable: true}
      - {column: ward_protected, data_type: str}
      - {column: city, token_type: str}
      - {column: city_protected, token_type: str}
`,
  'encryptor.yaml',
  'kept',
);
const check = (...migrations: (typeof MIGRATION)[]) => requireMigrations(migrations, tables, 'enclave.yaml');

t.test('takes a column that is protected beside as it is itself', async () => check(MIGRATION));

for (const [what, change, message] of [
  [
    'a column that is not protected',
    { column: 'ward', beside: 'ward_protected' },
    /"ward" of table "patients" is not protected/,
  ],
  ['a table that is not configured', { table: 'others' }, /table "others" is not protected/],
  ['a column of tokens', { column: 'city', beside: 'city_protected' }, /"city" of table "patients" has tokens/],
  ['nothing beside', { beside: 'other' }, /"other" of table "patients" is not protected.* as "name" is/],
  ['a column beside that is protected otherwise', { beside: 'ward_protected' }, /protected otherwise than "name"/],
  [
    'an old name that applications know',
    { old: 'ward' },
    /"ward" of table "patients" is in the encryptor configuration/,
  ],
] as const) {
  t.test(`refuses ${what}, and says where it stands`, async (t) => {
    t.throws(() => check({ ...MIGRATION, ...change }), { code: 'CONFIG_INVALID', message });
    t.throws(() => check(MIGRATION, { ...MIGRATION, ...change }), { message: /guard\.migrations\.1: / });
  });
}

t.test('refuses a name for two things', async (t) => {
  t.throws(() => check(MIGRATION, MIGRATION), { message: /guard\.migrations\.1: column "name" .* named twice/ });
});
