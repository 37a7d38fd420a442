/** COPY into and out of protected columns, in every format. */
import { BEFORE, type Form, insert, OTHER, refused, STORED } from './form.ts';

const [FIRST, SECOND] = BEFORE;

const into = (sql: string, data: string, leaves?: Form['leaves']): Form => ({
  ...insert(sql, leaves),
  copies: Buffer.from(data, 'latin1'),
});
const outOf = (sql: string, copied: string): Form => ({
  sql,
  ends: 'works',
  rows: [{ copied }],
  copies: Buffer.alloc(0),
});

const field = (text: string) => `${String.fromCharCode(0, 0, 0, text.length)}${text}`;
const SIGNATURE = 'PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0';
const END = '\xff\xff';

export const COPIED_IN: Readonly<Record<string, Form>> = {
  'COPY FROM STDIN': into('COPY patients (id, name, diagnosis) FROM STDIN', `9\tn\t${STORED}\n`),
  'COPY FROM STDIN, all columns, NULL and the end marked': into(
    'COPY patients FROM STDIN',
    `9\tn\t${OTHER}\t${STORED}\n10\tn\t\\N\t${STORED}\n\\.\n`,
    { 9: [OTHER, STORED], 10: [null, STORED] },
  ),
  'COPY FROM STDIN as CSV': into(
    'COPY patients (id, name, diagnosis) FROM STDIN (FORMAT csv, HEADER)',
    `id,name,diagnosis\n9,"n","${STORED}"\n`,
  ),
  'COPY FROM STDIN as CSV, old options': into(
    "COPY patients (id, name, diagnosis) FROM STDIN DELIMITERS ';' CSV QUOTE AS ''''",
    `9;'n';'${STORED}'\n`,
  ),
  'COPY FROM STDIN in binary': into(
    'COPY patients (id, name, diagnosis) FROM STDIN (FORMAT binary)',
    `${SIGNATURE}\0\x03${field('\0\0\0\x09')}${field('n')}${field(STORED)}${END}`,
  ),
  'COPY FROM STDIN WHERE over a protected column': {
    ...refused(`COPY patients FROM STDIN WHERE diagnosis = '${STORED}'`),
    copies: Buffer.from(`9\tn\t${OTHER}\t${STORED}\n`),
  },
  'COPY FROM a file': refused("COPY patients FROM '/tmp/patients'"),
};

export const COPIED_OUT: Readonly<Record<string, Form>> = {
  'COPY TO STDOUT': outOf('COPY patients TO STDOUT', `1\tn1\t${FIRST}\t${FIRST}\n2\tn2\t${SECOND}\t${SECOND}\n`),
  'COPY TO STDOUT as CSV': outOf(
    'COPY patients (id, email) TO STDOUT (FORMAT csv, FORCE_QUOTE (email))',
    `1,"${FIRST}"\n2,"${SECOND}"\n`,
  ),
  'COPY TO STDOUT in binary': outOf(
    'COPY patients (email) TO STDOUT (FORMAT binary)',
    `${SIGNATURE}\0\x01${field(FIRST)}\0\x01${field(SECOND)}${END}`,
  ),
  'COPY (SELECT …) TO STDOUT': outOf(
    `COPY (SELECT d.e, 1 FROM (SELECT email AS e FROM patients) d WHERE d.e = '${FIRST}') TO STDOUT`,
    `${FIRST}\t1\n`,
  ),
  'COPY (SELECT * …) TO STDOUT': outOf(
    'COPY (SELECT * FROM patients WHERE id = 2) TO STDOUT',
    `2\tn2\t${SECOND}\t${SECOND}\n`,
  ),
  'COPY TO a file': refused("COPY patients TO '/tmp/patients'"),
  'COPY (SELECT …) TO a program': refused("COPY (SELECT email FROM patients) TO PROGRAM 'cat'"),
};
