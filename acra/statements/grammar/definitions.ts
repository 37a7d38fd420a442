/** Definitions of protected columns: a value in them (DEFAULT, GENERATED, USING) would be stored as it stands there, by the database. */
import type { Node } from 'libpg-query';
import type { Tables } from '../scope.ts';
import { allAs, as } from '../tree.ts';
import { unsupported } from './unsupported.ts';

const WITH_VALUE = ['CONSTR_DEFAULT', 'CONSTR_GENERATED'];

const isNull = (node: Node | undefined) => node === undefined || as(node, 'A_Const')?.isnull === true;

/** @throws Refusal */
export function requireNoValues(tables: Tables, statement: Node): void {
  const [created, altered] = [as(statement, 'CreateStmt'), as(statement, 'AlterTableStmt')];
  const encrypted = tables.get((created ?? altered)?.relation?.relname ?? '')?.encrypted;
  if (!encrypted?.size) return;
  const commands = allAs(altered?.cmds, 'AlterTableCmd');
  const definitions = [...(created?.tableElts ?? []), ...commands.flatMap(({ def }) => def ?? [])];
  const given = [
    ...commands.flatMap(({ subtype, name, def }) => (subtype === 'AT_ColumnDefault' && !isNull(def) ? name : [])),
    ...commands.flatMap(({ name, def }) => (isNull(as(def, 'ColumnDef')?.raw_default) ? [] : name)),
    ...allAs(definitions, 'ColumnDef').flatMap(({ colname, constraints }) => {
      const each = allAs(constraints, 'Constraint');
      return each.some(({ contype = '', raw_expr }) => WITH_VALUE.includes(contype) && !isNull(raw_expr))
        ? colname
        : [];
    }),
  ];
  const found = given.find((name) => name !== undefined && encrypted.has(name));
  if (found === undefined) return;
  throw unsupported(
    'definition',
    `the definition of protected column "${found}" holds a value, which the database would store as it is`,
  );
}
