/** Statements after which the database would read the next ones otherwise than we do. */
import t from 'tap';
import { stateOf } from '../support/verdicts.ts';

for (const sql of [
  'SET standard_conforming_strings = off',
  "SET LOCAL standard_conforming_strings TO 'of'",
  'SET SESSION "STANDARD_CONFORMING_STRINGS" = 0',
  "SET client_encoding = 'SJIS'",
  "SET NAMES 'BIG5'",
  "BEGIN; SET client_encoding TO 'GBK'; COMMIT",
  "SELECT set_config('client_encoding', 'SJIS', false)",
  "SELECT set_config('Client_Encoding'::text, $1, false)",
  'SELECT set_config($1, $2, false)',
  "SELECT set_config(setting_name => 'client_encoding', new_value => 'SJIS', is_local => false)",
  "SELECT pg_catalog.set_config('standard_conforming' || '_strings', 'off', false)",
  "SELECT 1 WHERE set_config('standard_conforming_strings', 'off', false) = 'off'",
  "SELECT * FROM set_config('standard_conforming_strings', 'off', false)",
  "EXPLAIN ANALYZE SELECT set_config('client_encoding', 'SJIS', false)",
  "PREPARE p AS SELECT set_config('client_encoding', 'SJIS', false)",
  "DECLARE c CURSOR FOR SELECT set_config('client_encoding', 'SJIS', false)",
  "SELECT set_config(name, 'SJIS', false) FROM pg_settings WHERE name = 'client_encoding'",
  "SELECT set_config(name, 'SJIS', false) FROM pg_settings WHERE name <> 'work_mem'",
  "SELECT set_config(name, 'SJIS', false) FROM pg_settings WHERE name = 'work_mem' OR true",
  "SELECT set_config(name, 'SJIS', false) FROM pg_settings, pg_settings s WHERE name = 'work_mem'",
  "SELECT set_config(s.name, 'SJIS', false) FROM pg_settings s WHERE s.name = 'work_mem'",
  "WITH pg_settings AS (SELECT 'client_encoding' AS name) SELECT set_config(name, 'SJIS', false) FROM pg_settings WHERE name = 'work_mem'",
  "SELECT set_config(setting, 'SJIS', false) FROM pg_settings WHERE name = 'work_mem'",
  "INSERT INTO o VALUES (set_config('client_encoding', 'SJIS', false))",
  'ALTER ROLE r SET standard_conforming_strings = off',
  "ALTER DATABASE d SET client_encoding = 'SJIS'",
  'ALTER SYSTEM SET standard_conforming_strings = off',
  "CREATE FUNCTION f() RETURNS void LANGUAGE sql SET standard_conforming_strings = off AS ''",
  "ALTER FUNCTION f() SET client_encoding = 'SJIS'",
  "UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
]) {
  t.test(`rejects ${sql}`, async (t) => {
    t.equal(stateOf(sql), '22023');
  });
}

for (const sql of [
  'SET standard_conforming_strings = on',
  "SET client_encoding = 'UTF8'",
  "SET NAMES 'LATIN1'",
  'RESET ALL',
  "SET TIME ZONE 'UTC'",
  'SET search_path = a, b',
  'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
  "SELECT set_config('request.claims', $1, true)",
  "SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'",
  'RESET acra_enclave.protected',
  "ALTER ROLE r SET search_path = 'x'",
]) {
  t.test(`keeps ${sql}`, async (t) => {
    t.equal(stateOf(sql), 'passes');
  });
}

t.test('rejects what would change a setting of ours (55P02)', async (t) => {
  t.equal(stateOf("SET acra_enclave.protected = 'stored'"), '55P02');
});
