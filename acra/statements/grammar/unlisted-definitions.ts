/**
 * Definitions about relations that nobody listed: a value in one (a CHECK, DEFAULT, the condition of an index, a policy, a trigger) is compared
 * with what the relation has, or stored in it, as in a statement (decision 20). A table that is only being made has nothing yet.
 */
import type { Node, RangeVar } from 'libpg-query';
import type { Tables } from '../scope.ts';
import { allAs, as, isValueConstant, relationsIn, walk } from '../tree.ts';
import type { Receivers } from './receivers.ts';
import { unsupported } from './unsupported.ts';

const DEFINITIONS = [
  'AlterPolicyStmt',
  'AlterPublicationStmt',
  'AlterTableStmt',
  'CreateForeignTableStmt',
  'CreateFunctionStmt',
  'CreatePolicyStmt',
  'CreatePublicationStmt',
  'CreateStatsStmt',
  'CreateStmt',
  'CreateTrigStmt',
  'IndexStmt',
  'RuleStmt',
];
/** Lengths of types and bounds of partitions are no values. */
const WITHOUT_VALUES = ['TypeName', 'typeName', 'partbound', 'bound'];

function holdsValue(statement: Node): boolean {
  let found = false;
  walk(statement, (node, kind) => {
    const constant = as(node, 'A_Const');
    found ||= constant !== undefined && isValueConstant(constant);
    return !found && !WITHOUT_VALUES.includes(kind);
  });
  return found;
}

/** @throws Refusal where a definition with a value is about a relation that is neither protected nor on the list */
export function requireListedDefinition(statement: Node, tables: Tables, receivers: Receivers): void {
  const [kind = ''] = Object.keys(statement);
  if (!DEFINITIONS.includes(kind) || !holdsValue(statement)) return;
  const made = as(statement, 'CreateStmt') ?? as(statement, 'CreateForeignTableStmt')?.base;
  const isOther = ({ relname = '' }: RangeVar) => relname !== made?.relation?.relname;
  const found = relationsIn(statement).find(
    (each) => isOther(each) && !tables.has(each.relname ?? '') && !receivers.isPlain(each),
  );
  if (found) {
    throw unsupported(
      'relation-unlisted',
      `a definition with a value is about relation "${found.relname}", which is neither in the encryptor configuration nor in guard.list`,
    );
  }
  const parent = allAs(made?.inhRelations, 'RangeVar').find(({ relname = '' }) => tables.get(relname)?.encrypted.size);
  if (parent) {
    throw unsupported(
      'definition',
      `a part of protected table "${parent.relname}" is made with a value in its definition`,
    );
  }
}
