/**
 * Statements that store or compare values of protected columns (`email`, searchable, and `diagnosis` of `patients`). Values
 * contain MARKER, so that one that gets anywhere in plaintext is found.
 */
export const MARKER = 'PLAINTEXT';

const value = (name: string) => `${MARKER}-${name}`;
export const STORED = value('stored');
export const OTHER = value('other');
/** Of the rows that are there before each form: email and diagnosis. */
export const BEFORE = [value('first'), value('second')] as const;

export interface Form {
  readonly sql: string;
  /** By number; a form without parameters has literals in the text. */
  readonly values?: readonly unknown[];
  /** What becomes of it: its values are stored encrypted, or compared by their hashes, and its rows come back as they should; or not. */
  readonly ends: 'works' | 'refused';
  /** What it must give back. */
  readonly rows?: readonly object[];
  /** Rows by id that must be there afterwards, read through the enclave: email and diagnosis. */
  readonly leaves?: Readonly<Record<number, readonly [string | null, string | null]>>;
  /** A value is also for a column that is not protected. */
  readonly saysInClear?: true;
  /** COPY: what the client sends where it is asked; what it gets is a row of its own. */
  readonly copies?: Buffer;
  /** A text of several statements, which only the simple protocol takes. */
  readonly isSimpleOnly?: true;
}

export const insert = (sql: string, leaves: Form['leaves'] = { 9: [null, STORED] }): Form => ({
  sql,
  ends: 'works',
  leaves,
});
export const refused = (sql: string, values?: readonly unknown[]): Form => ({
  sql,
  ends: 'refused',
  ...(values && { values }),
});
export const found = (where: string, ids: readonly number[], values?: readonly unknown[]): Form => ({
  sql: `SELECT id FROM patients WHERE ${where} ORDER BY id`,
  ends: 'works',
  rows: ids.map((id) => ({ id })),
  ...(values && { values }),
});
export const withValues = (form: Form, ...values: readonly unknown[]): Form => ({ ...form, values });
