/** Whether a protected column is held by the belt that `guard ddl` writes (acra/belts/check.ts), by a lesser one, or by none. */

import { identifier } from '../../postgres/sql-names.ts';
import { checkAsStored } from '../belts/check.ts';
import { beltName } from '../belts/names.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import type { Column, Constraint } from './catalogue.ts';
import { type Finding, finding } from './findings.ts';
import { quoted } from './labels.ts';

const NOT_VALID = ' NOT VALID';
/** A container's first bytes, alone and in the template of a whole header. */
const MARK = `'\\x252525'`;
const TEMPLATE = /'\\x252525[0-9a-f]/;

/** Whichever names need quotes in the database's release. */
const formsOf = (column: EncryptedColumn, names: readonly string[]) =>
  names.map((name) => `CHECK (${checkAsStored(column, name)})`);

/** Of a column whose type is a domain PostgreSQL writes the conversion. */
function withoutConversions(definition: string, names: readonly string[]): string {
  return names.reduce((text, name) => text.replaceAll(`(${name})::bytea`, name), definition);
}

/** @param constraints of its table */
export function judgeBelt(
  object: string,
  { domainChecks }: Column,
  constraints: readonly Constraint[],
  column: EncryptedColumn,
): Finding[] {
  const names = [column.name, identifier(column.name)];
  const [own, ofDomain] = [formsOf(column, names), formsOf(column, ['VALUE'])];
  const checks = constraints.filter(({ kind, columns }) => kind === 'c' && columns.includes(column.name));
  const isWhole = ({ definition }: Constraint) => {
    const text = withoutConversions(definition, names);
    return own.includes(text.endsWith(NOT_VALID) ? text.slice(0, -NOT_VALID.length) : text);
  };
  const whole = checks.filter(isWhole);
  if (whole.some(({ isValidated }) => isValidated) || domainChecks.some((text) => ofDomain.includes(text))) return [];
  const [waiting] = whole;
  if (waiting) return [finding('DB_BELT_NOT_VALIDATED', object, `constraint ${quoted(waiting.name)}`)];
  const other = checks.find(({ name, definition }) => name === beltName(column.name) || TEMPLATE.test(definition));
  if (other) return [finding('DB_BELT_DIFFERENT', object, `constraint ${quoted(other.name)}`)];
  const short = checks.find(({ isValidated, definition }) => isValidated && definition.includes(MARK));
  if (short) return [finding('DB_BELT_SHORT', object, `constraint ${quoted(short.name)}`)];
  if (domainChecks.some((text) => text.includes(MARK))) return [finding('DB_BELT_SHORT', object, 'its domain')];
  return [finding('DB_BELT_MISSING', object, 'no CHECK constraint tests for a container')];
}
