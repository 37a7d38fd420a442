/** What a guard is told of the configuration is what the supervisor has read. */
import t from 'tap';
import { parseEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import { readTables, type ToldTable, tellTables } from '../../sessions/protected-tables.ts';

const FILE = `
schemas:
  - table: patients
    columns: [id, name, ssn, note]
    encrypted:
      - {column: ssn, client_id: '${'0a'.repeat(64)}', searchable: true, data_type: str, response_on_fail: error}
      - {column: name, masking: xx, plaintext_length: 2, plaintext_side: left}
  - table: 'Zeilen mit Abstand'
    columns: [id]
`;

t.test('keeps every table, column and setting on the way through JSON', async (t) => {
  const { tables } = parseEncryptorConfig(FILE, 'encryptor.yaml');
  const told: ToldTable[] = JSON.parse(JSON.stringify(tellTables(tables)));
  const read = readTables(told);
  t.match(read, tables);
  t.same([...read.keys()], ['patients', 'Zeilen mit Abstand']);
  t.same([...read.get('patients')!.encrypted.keys()], ['ssn', 'name']);
});
