/**
 * What a schema cannot say: places that acra-server ignores silently although the file is well-formed, so that a column
 * meant to be encrypted is stored in plaintext (acra-server contract 4.1), and settings that cost data or secrecy.
 */
import { combinationProblem, tokenProblem } from './combination.ts';
import type { RawColumn, RawDefaults, RawEncryptorFile } from './schema.ts';

/** Finding without its line, which only the document knows. */
interface RuleFinding {
  readonly severity: 'error' | 'warning';
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

type RawTable = RawEncryptorFile['schemas'][number];
type Report = (severity: RuleFinding['severity'], path: readonly PropertyKey[], message: string) => void;

function reportDuplicates(
  names: readonly string[],
  pathOf: (index: number) => PropertyKey[],
  what: string,
  report: Report,
) {
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) < index) report('error', pathOf(index), `${what} "${name}" stands here a second time`);
  }
}

/** Whether the file may have tokenized columns: acra-server has a place to keep tokens. */
export type TokenUse = 'kept' | 'refused';

const TOKENS_REFUSED =
  'tokenization needs a Redis in acra.tokens of enclave.yaml (docs/tokens.md): in memory only, tokens would be lost for good when ' +
  'acra-server restarts; `data`, `guard ddl` and `keys forget-old` know no tokens';

/** @returns whether the column is tokenized */
function checkTokenization(column: RawColumn, path: readonly PropertyKey[], tokens: TokenUse, report: Report): boolean {
  const keys = (['token_type', 'tokenized', 'consistent_tokenization'] as const).filter(
    (key) => column[key] !== undefined,
  );
  if (tokens === 'refused') for (const key of keys) report('error', [...path, key], TOKENS_REFUSED);
  else if (column.token_type === undefined) {
    for (const key of keys) report('error', [...path, key], 'without token_type acra-server passes over it');
  } else if (column.tokenized === false) {
    report('error', [...path, 'tokenized'], 'false beside token_type is refused by acra-server; leave it out');
  }
  return column.token_type !== undefined;
}

function checkColumn(
  column: RawColumn,
  { defaults, tokens }: Context,
  path: readonly PropertyKey[],
  report: Report,
): void {
  const isTokenized = checkTokenization(column, path, tokens, report);
  const problem = isTokenized ? tokenProblem(column, defaults) : combinationProblem(column, defaults);
  if (problem !== undefined) report('error', path, `column "${column.column}": ${problem}`);
  if (column.crypto_envelope === 'acrastruct') {
    report('warning', [...path, 'crypto_envelope'], 'whoever can replace the public key file can read acrastructs');
  }
  if (column.masking !== undefined && column.plaintext_length !== 0) {
    report('warning', [...path, 'plaintext_length'], 'a masked column keeps this much of each value in plaintext');
  }
}

/** NAMEDATALEN - 1: PostgreSQL cuts what is longer, and has no relation or column of that name. */
const MAX_NAME_BYTES = 63;

function checkName(name: string, path: readonly PropertyKey[], what: string, report: Report): void {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    report('error', path, `${what} "${name}": PostgreSQL has no names of more than ${MAX_NAME_BYTES} bytes`);
  }
  if (name.includes('"')) {
    report('error', path, `${what} "${name}": acra-server does not read names with a double quote in them; rename it`);
  }
  if (name.includes('.')) {
    report('error', path, `${what} "${name}": acra-server compares bare names; leave out the schema`);
  } else if (name !== name.toLowerCase()) {
    report('warning', path, `${what} "${name}" matches only where statements write it in double quotes`);
  }
}

interface Context {
  readonly defaults: RawDefaults;
  readonly tokens: TokenUse;
}

function checkTable(table: RawTable, context: Context, path: readonly PropertyKey[], report: Report): void {
  checkName(table.table, [...path, 'table'], 'table', report);
  reportDuplicates(table.columns, (index) => [...path, 'columns', index], 'column', report);
  const encrypted = table.encrypted ?? [];
  const names = encrypted.map(({ column }) => column);
  reportDuplicates(names, (index) => [...path, 'encrypted', index, 'column'], 'encrypted column', report);
  for (const [index, column] of encrypted.entries()) {
    const at = [...path, 'encrypted', index];
    if (!table.columns.includes(column.column)) {
      report('error', [...at, 'column'], `"${column.column}" is not among the columns of table "${table.table}"`);
    }
    checkName(column.column, [...at, 'column'], 'column', report);
    checkColumn(column, context, at, report);
  }
}

export function checkRules(file: RawEncryptorFile, tokens: TokenUse): RuleFinding[] {
  const findings: RuleFinding[] = [];
  const report: Report = (severity, path, message) => findings.push({ severity, path, message });
  const defaults = file.defaults ?? {};
  if (defaults.crypto_envelope === 'acrastruct') {
    report('warning', ['defaults', 'crypto_envelope'], 'whoever can replace the public key file can read acrastructs');
  }
  if (defaults.consistent_tokenization !== undefined && tokens === 'refused') {
    report('error', ['defaults', 'consistent_tokenization'], TOKENS_REFUSED);
  }
  const names = file.schemas.map(({ table }) => table);
  reportDuplicates(names, (index) => ['schemas', index, 'table'], 'table', report);
  for (const [index, table] of file.schemas.entries())
    checkTable(table, { defaults, tokens }, ['schemas', index], report);
  if (!file.schemas.some(({ encrypted }) => encrypted !== undefined && encrypted.length > 0)) {
    report('error', ['schemas'], 'no column of any table is encrypted');
  }
  return findings;
}
