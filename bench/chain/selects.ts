/** The statements that pgbench asks again and again, and the rows that they find. */
import { APPLICATION } from '../../cli/demo/database.ts';

const ROWS = 1000;
const ONE = `\\set id random(1, ${ROWS})\n`;

/** One row by its number, where what asks is no pgbench. */
export const ONE_ROW = {
  untouched: 'SELECT id, name FROM patients WHERE id = 1',
  protected: 'SELECT id, email, diagnosis FROM patients WHERE id = 1',
} as const;

/** What a client does again and again. */
export interface Script {
  readonly name: string;
  /** What it does. */
  readonly words: string;
  readonly text: string;
  /** Texts, which pgbench has no expressions for. */
  readonly variables?: Readonly<Record<string, string>>;
}

export const SELECTS: readonly Script[] = [
  {
    name: 'protected',
    words: 'one row with two protected columns',
    text: `${ONE}SELECT name, email, diagnosis FROM patients WHERE id = :id;\n`,
  },
  {
    name: 'untouched',
    words: 'one row of which nothing is protected',
    text: `${ONE}SELECT id, name FROM patients WHERE id = :id;\n`,
  },
  {
    name: 'rows',
    words: '1,000 rows with two protected columns each',
    text: 'SELECT id, email, diagnosis FROM patients;\n',
  },
];
const COLUMNS = 'id, name, email, diagnosis';
const VALUES = Array.from(
  { length: ROWS },
  (_, i) => `(${i + 1}, 'name ${i}', 'e${i}@example.org', 'diagnosis ${i}')`,
).join(',');
export const insertRows = `INSERT INTO patients (${COLUMNS}) VALUES ${VALUES}`;

/** The same as texts, in a schema that is there. */
export const insertPlainRows = (schema: string) => `
CREATE TABLE ${schema}.patients (id integer PRIMARY KEY, name text, email text, diagnosis text);
INSERT INTO ${schema}.patients (${COLUMNS}) VALUES ${VALUES};
GRANT SELECT ON ${schema}.patients TO ${APPLICATION.user};`;
