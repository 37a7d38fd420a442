/** The demo's table: protected columns are bytea, with the CHECK constraints that refuse anything but Acra's containers. */
import { checkFor } from '../../acra/belts/check.ts';
import { beltName } from '../../acra/belts/names.ts';
import { parseEncryptorConfig } from '../../acra/encryptor-config/lint.ts';

export const DATABASE = 'records';
export const OWNER = { user: 'owner', password: 'owner-of-the-demo' };
export const APPLICATION = { user: 'application', password: 'application-of-the-demo' };

export const ENCRYPTOR_YAML = `schemas:
  - table: patients
    columns: [id, name, email, diagnosis]
    encrypted:
      - column: email
        searchable: true
        data_type: str
      - column: diagnosis
        data_type: str
`;

const protectedColumns = parseEncryptorConfig(ENCRYPTOR_YAML, 'encryptor.yaml')
  .tables.values()
  .flatMap(({ encrypted }) => encrypted.values());

/** With the belts that `acra-enclave guard ddl` writes. */
const PROTECTED = [...protectedColumns].map(
  (column) => `${column.name} bytea CONSTRAINT ${beltName(column.name)} CHECK ${checkFor(column, column.name)}`,
);

export const SCHEMA_SQL = `
CREATE TABLE patients (
  id integer PRIMARY KEY,
  name text NOT NULL,
  ${PROTECTED.join(',\n  ')}
);
CREATE INDEX patients_email ON patients (substr(email, 1, 33));
GRANT SELECT, INSERT, UPDATE, DELETE ON patients TO ${APPLICATION.user};
`;
