/** The questions about what the database writes into its log ($1 has the names of settings), and about the rights of roles ($1 tables, $2 roles). */
import { LOG_SETTINGS } from '../belts/log-settings.ts';
import * as rows from './catalogue.ts';
import { OWN, type Question } from './queries.ts';

const MAX_ROWS = 100_000;

/** Of this session; where its login has a value of its own, nobody else's can be told by it. */
export const SETTINGS: Question<rows.Setting> = {
  what: 'settings',
  row: rows.settingSchema,
  values: [LOG_SETTINGS.map(({ name }) => name)],
  maxRows: MAX_ROWS,
  sql: `SELECT s.name, s.setting AS value, s.source, s.boot_val AS default FROM pg_catalog.pg_settings s WHERE s.name = ANY ($1)`,
};

/** By ALTER ROLE and ALTER DATABASE, of this database. */
export const ROLE_SETTINGS: Question<rows.RoleSetting> = {
  what: 'settings of roles',
  row: rows.roleSettingSchema,
  values: [LOG_SETTINGS.map(({ name }) => name)],
  maxRows: MAX_ROWS,
  sql: `SELECT r.rolname::text AS role, s.setdatabase <> 0 AS "isOfDatabase",
      pg_catalog.split_part(c.entry, '=', 1) AS name, pg_catalog.left(pg_catalog.substr(c.entry, pg_catalog.strpos(c.entry, '=') + 1), 100) AS value
    FROM pg_catalog.pg_db_role_setting s
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, LATERAL pg_catalog.unnest(s.setconfig) AS c (entry)
    WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))
      AND (s.setrole = 0 OR r.oid IS NOT NULL) AND pg_catalog.split_part(c.entry, '=', 1) = ANY ($1)`,
};

export const rolesOf = (roles: readonly string[]): Question<{ readonly name: string }> => ({
  what: 'roles',
  row: rows.roleSchema,
  values: [roles],
  maxRows: MAX_ROWS,
  sql: 'SELECT r.rolname::text AS name FROM pg_catalog.pg_roles r WHERE r.rolname::text = ANY ($1) ORDER BY r.rolname::text',
});

export const rightsOf = (tables: readonly string[], roles: readonly string[]): Question<rows.RoleRights> => ({
  what: 'rights',
  row: rows.roleRightsSchema,
  values: [tables, roles],
  maxRows: MAX_ROWS,
  sql: `SELECT r.rolname::text AS role, 'R' || c.oid AS relation, r.rolsuper AS "isSuperuser",
      pg_catalog.pg_has_role(r.oid, c.relowner, 'MEMBER') AS "isOwner",
      ARRAY(SELECT u.right FROM pg_catalog.unnest(ARRAY['TRIGGER', 'REFERENCES', 'TRUNCATE']) AS u ("right")
        WHERE pg_catalog.has_table_privilege(r.oid, c.oid, u.right)) AS rights,
      pg_catalog.has_schema_privilege(r.oid, c.relnamespace, 'CREATE') AS "mayCreate"
    FROM pg_catalog.pg_roles r, pg_catalog.pg_class c
    WHERE r.rolname::text = ANY ($2) AND c.relname::text = ANY ($1) AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= ${OWN}
    ORDER BY r.rolname::text, c.oid`,
});
