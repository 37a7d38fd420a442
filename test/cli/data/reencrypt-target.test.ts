/** What `data reencrypt` is told to do is clear, or refused before anything is done. */
import t from 'tap';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { reencryptTarget } from '../../../cli/data/reencrypt/target.ts';
import { CliError } from '../../../cli/errors.ts';
import { throwsCode } from '../../support/coded-error.ts';

const [OWN, OTHER] = ['a'.repeat(128), 'b'.repeat(128)];
const { tables } = parseEncryptorConfig(
  `schemas:
  - table: patients
    columns: [id, name, note, letter]
    encrypted:
      - column: name
      - {column: note, client_id: ${OTHER}}
      - {column: letter, crypto_envelope: acrastruct}
  - table: visits
    columns: [id, reason]
    encrypted:
      - column: reason
  - table: wards
    columns: [id]
`,
  'encryptor.yaml',
);
const configured = { folder: '', config: undefined as never, tables, migrations: [] };
const ids = { clientId: OWN, current: '0001', old: ['0002'] };

t.test('takes the columns that the client’s keys are for, and names those of AcraStructs', async (t) => {
  const own = reencryptTarget(configured, 'patients', OWN, [ids]);
  t.same(
    own.columns.map(({ name }) => name),
    ['name', 'letter'],
  );
  t.same(own.untold, ['letter']);
  const other = reencryptTarget(configured, 'patients', OTHER, [{ ...ids, clientId: OTHER }]);
  t.same(
    other.columns.map(({ name }) => name),
    ['name', 'note', 'letter'],
  );
});

const migration = { table: 'patients', column: 'name', beside: 'name_protected', old: 'name_plain' };

t.test(
  'refuses a table that is none or not one, or is being switched, and keys that are not told apart (CLI_OPTION)',
  async () => {
    const refuses = (...given: Parameters<typeof reencryptTarget>) =>
      throwsCode(() => reencryptTarget(...given), CliError, 'CLI_OPTION');
    refuses(configured, undefined, OWN, [ids]);
    refuses(configured, 'wards', OWN, [ids]);
    refuses({ ...configured, migrations: [migration] }, 'patients', OWN, [ids]);
    refuses(configured, 'patients', OTHER, [ids]);
    refuses(configured, 'patients', OWN, [{ ...ids, old: ['0001'] }]);
  },
);
