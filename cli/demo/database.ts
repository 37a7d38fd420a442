/** The demo's table: protected columns are bytea, with the CHECK constraints that refuse anything but Acra's containers. */

export const DATABASE = 'records';
export const OWNER = { user: 'owner', password: 'owner-of-the-demo' };
export const APPLICATION = { user: 'application', password: 'application-of-the-demo' };

/** Searchable values begin with 0x7f and a 32-byte HMAC, then the container; others with the container's `%%%`. */
export const SCHEMA_SQL = `
CREATE TABLE patients (
  id integer PRIMARY KEY,
  name text NOT NULL,
  email bytea CHECK (get_byte(email, 0) = 127 AND substring(email from 34 for 3) = '\\x252525'),
  diagnosis bytea CHECK (substring(diagnosis from 1 for 3) = '\\x252525')
);
CREATE INDEX patients_email ON patients (substr(email, 1, 33));
GRANT SELECT, INSERT, UPDATE, DELETE ON patients TO ${APPLICATION.user};
`;

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
