/**
 * What the guard does with a text, with a protector that anybody can undo in the place of acra-server: so thousands of statements a minute can
 * be tried. A stored value is a mark, in front of it the hash where the column is searchable, behind it the value in another form.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { EncryptedColumn, EncryptedTable } from '../../../../acra/encryptor-config/schema.ts';
import type { LiteralEdit } from '../../../../acra/statements/draft.ts';
import { judge, refusedBy, type Verdict } from '../../../../acra/statements/judge.ts';
import { alignOutputs } from '../../../../acra/statements/outputs.ts';
import { loadParser, parseText } from '../../../../acra/statements/parser.ts';
import type { Plan } from '../../../../acra/statements/plan.ts';
import type { Policy } from '../../../../acra/statements/policy.ts';
import { Refusal } from '../../../../acra/statements/refusal.ts';
import { rewrite } from '../../../../acra/statements/rewrite.ts';
import { isOfEach, type ValueUse } from '../../../../acra/statements/value-use.ts';
import { TABLES } from './names.ts';

const HASH_MARK = 0x7f;
const HASH_BYTES = 33;
const MARK = Buffer.from('%%%');
const SALT_BYTES = 6;

function column(table: string, name: string, searchable: boolean): EncryptedColumn {
  const none = { clientId: undefined, defaultValue: undefined, masking: undefined };
  const kind = { envelope: 'acrablock', dataType: 'str', onFail: 'ciphertext', reencryptsToAcraBlock: false } as const;
  return { table, name, searchable, ...none, ...kind };
}

function table(name: 'patients' | 'visits'): EncryptedTable {
  const [columns, encrypted] = [TABLES[name], new Map<string, EncryptedColumn>()];
  for (const { name: each, kind } of columns)
    if (kind === 'searched' || kind === 'kept') encrypted.set(each, column(name, each, kind === 'searched'));
  return { name, columns: columns.map((each) => each.name), encrypted };
}

const tables = new Map([table('patients'), table('visits')].map((each) => [each.name, each]));
const policy: Policy = { relations: 'listed', list: { relations: ['notes'], functions: [], uniqueSearches: [] } };
const parser = await loadParser();

const otherForm = (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ 0x5a));

function protectedValue(value: string, { column: { searchable }, role }: ValueUse): Buffer {
  // As Acra has it: the empty string stays what it is.
  if (value === '') return Buffer.alloc(0);
  const hash = Buffer.concat([Buffer.from([HASH_MARK]), createHash('sha256').update(value).digest()]);
  if (role.startsWith('search')) return hash;
  return Buffer.concat([...(searchable ? [hash] : []), MARK, randomBytes(SALT_BYTES), otherForm(Buffer.from(value))]);
}

/** The elements of these statements are plain words. */
function protectedLiteral(value: string, use: ValueUse): Buffer {
  if (!isOfEach(use)) return protectedValue(value, use);
  const elements = value.slice(1, -1).split(',');
  return Buffer.from(`{${elements.map((each) => `"\\\\x${protectedValue(each, use).toString('hex')}"`).join(',')}}`);
}

/** What is in a cell; undefined where it is not what a protected column holds. */
export function opened(cell: Buffer): string | undefined {
  if (cell.length === 0) return '';
  const container = cell[0] === HASH_MARK ? cell.subarray(HASH_BYTES) : cell;
  if (!container.subarray(0, MARK.length).equals(MARK)) return undefined;
  return otherForm(container.subarray(MARK.length + SALT_BYTES)).toString();
}

export interface Guarded {
  readonly sql: string;
  readonly values: readonly (string | Buffer)[];
  /** A row as the client gets it. */
  read(row: readonly unknown[]): readonly unknown[];
}

function verdictOn(sql: string): Verdict {
  try {
    return judge({ tables, reader: 'engine', policy }, parseText(parser, sql));
  } catch (error) {
    if (error instanceof Refusal) return refusedBy(error);
    throw error;
  }
}

/** @returns the kind of the refusal, where it is refused */
export function guarded(sql: string, values: readonly string[] = []): Guarded | string {
  const verdict = verdictOn(sql);
  if (verdict.kind === 'refused') return verdict.refusal;
  const { plan } = verdict;
  const literals = new Map<LiteralEdit, Buffer>();
  for (const edit of plan.edits)
    if (edit.kind === 'literal') literals.set(edit, protectedLiteral(edit.value, edit.use));
  const text = rewrite(Buffer.from(sql), plan, literals, values.length).toString();
  return { sql: text, values: boundValues(plan, values), read: (row) => readRow(plan, row) };
}

function boundValues({ parameters, copies }: Plan, values: readonly string[]): (string | Buffer)[] {
  const own = values.map((value, index) => {
    const use = parameters.get(index + 1);
    return use ? protectedValue(value, use) : value;
  });
  return [...own, ...copies.map(({ of, use }) => protectedValue(values[of - 1] ?? '', use))];
}

function readRow({ results }: Plan, row: readonly unknown[]): readonly unknown[] {
  const columns = alignOutputs(results.at(-1) ?? [], row.length);
  return row.map((cell, index) => (columns[index] && Buffer.isBuffer(cell) ? (opened(cell) ?? cell) : cell));
}
