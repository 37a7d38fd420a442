/**
 * Statements by chance, of the forms that people write, over `patients`: shape, kind of value, relations. The same text with another table
 * name runs on plain columns, so that nothing here depends on what is refused.
 */
import type { GeneratorValue } from 'fast-check';
import * as fc from 'fast-check';
import { MARKER } from './form.ts';

export interface Chance {
  readonly sql: string;
  readonly values: readonly string[];
}

const VALUES = ['a', 'b', 'c', "it's"].map((name) => `${MARKER}-${name}`);
const quoted = (value: string) => `'${value.replaceAll("'", "''")}'`;
const LITERALS: readonly ((value: string) => string)[] = [
  quoted,
  quoted,
  (value) => `${quoted(value)}::text`,
  (value) => `text ${quoted(value)}`,
  (value) => `CAST(${quoted(value)} AS text)`,
  (value) => `E${quoted(value)}`,
  (value) => `$$${value}$$`,
  (value) => `(${quoted(value)})`,
];

/** One statement under way. */
class Draw {
  readonly #g: GeneratorValue;
  readonly values: string[] = [];

  constructor(g: GeneratorValue) {
    this.#g = g;
  }

  of<Each>(...all: readonly Each[]): Each {
    return this.#g(fc.constantFrom, ...all);
  }

  /** One of these, made when it is the one. */
  any(...makers: readonly (() => string)[]): string {
    return this.of(...makers)();
  }

  get id(): string {
    return String(this.#g(fc.integer, { min: 1, max: 5 }));
  }

  /** A value of a text column. */
  get value(): string {
    const value = this.of(...VALUES);
    const isParameter = this.#g(fc.boolean);
    if (!isParameter) return this.of(...LITERALS)(value);
    const again = this.values.indexOf(value);
    const number = again >= 0 && this.#g(fc.boolean) ? again + 1 : this.values.push(value);
    return this.of(`$${number}::text`, `$${number}::text`, `CAST($${number} AS text)`);
  }

  get stored(): string {
    return this.any(
      () => this.value,
      () => this.value,
      () => this.value,
      () => 'NULL',
      () => 'DEFAULT',
    );
  }

  get expression(): string {
    return this.any(
      () => this.value,
      () => this.value,
      () => `COALESCE(${this.value}, ${this.value})`,
      () => `CASE WHEN ${this.condition('')} THEN ${this.value} ELSE ${this.value} END`,
      () => `(SELECT ${this.value})`,
      () => `upper(${this.value})`,
    );
  }

  /** @param of a table's name with a dot, or nothing */
  condition(of: string, depth = 2): string {
    const simple = [
      () => `${of}email = ${this.value}`,
      () => `${this.value} = ${of}email`,
      () => `(${of}email) <> ${this.value}`,
      () => `${of}email IN (${this.value}, ${this.value})`,
      () => `${of}email = ANY (ARRAY[${this.value}, ${this.value}])`,
      () => `${of}email IS NOT DISTINCT FROM ${this.value}`,
      () => `${of}email IS NULL`,
      () => `${of}id = ${this.id}`,
      () => `(${of}id, ${of}email) = (${this.id}, ${this.value})`,
      () => `${of}id IN (SELECT q.id FROM patients q WHERE q.email = ${this.value})`,
      () =>
        `${of}email ${this.of('IN', 'NOT IN', '= ANY', '<> ALL')} (SELECT ${this.of('', 'DISTINCT ')}q.email FROM patients q WHERE q.id ${this.of('<', '>')} ${this.id}${this.any(
          () => '',
          () => ` UNION SELECT ${this.value}`,
          () => ` EXCEPT SELECT ${this.value}`,
        )})`,
      () =>
        `${of}email ${this.of('=', '<>', 'IS DISTINCT FROM')} (SELECT q.email FROM patients q WHERE q.id = ${this.id})`,
      () =>
        `${this.value} ${this.of('IN', 'NOT IN')} (SELECT q.email FROM patients q WHERE q.id < ${of || 'patients.'}id)`,
      () => `${of}email IN (VALUES (${this.value}), (${this.stored.replace('DEFAULT', 'NULL')}))`,
      () =>
        `(${of}id, ${of}email) ${this.of('IN', 'NOT IN')} (SELECT q.id, q.email FROM patients q WHERE q.email = ${this.value})`,
      () => `EXISTS (SELECT 1 FROM patients q WHERE q.id = ${of || 'patients.'}id AND q.email = ${this.value})`,
      () => this.of(`${of}email > ${this.value}`, `${of}email LIKE ${this.value}`, `${of}diagnosis = ${this.value}`),
    ];
    if (depth === 0) return this.any(...simple);
    return this.any(
      ...simple,
      () => `(${this.condition(of, depth - 1)} AND ${this.condition(of, depth - 1)})`,
      () => `(${this.condition(of, depth - 1)} OR ${this.condition(of, depth - 1)})`,
      () => `NOT (${this.condition(of, depth - 1)})`,
    );
  }

  get select(): string {
    return this.any(
      () => `SELECT id, email, diagnosis FROM patients WHERE ${this.condition('')} ORDER BY id`,
      () => `SELECT * FROM patients p WHERE ${this.condition('p.')} ORDER BY p.id`,
      () => `SELECT d.i, d.e FROM (SELECT id AS i, email AS e FROM patients) d WHERE d.e = ${this.value} ORDER BY 1`,
      () => `WITH d AS (SELECT * FROM patients WHERE ${this.condition('')}) SELECT diagnosis, id FROM d ORDER BY id`,
      () =>
        `SELECT a.email, b.diagnosis FROM patients a JOIN patients b ON a.email = b.email WHERE ${this.condition('a.')} ORDER BY a.id, b.id`,
      () =>
        `SELECT a.id, b.email FROM patients a LEFT JOIN patients b ON b.id = a.id + 1 AND ${this.condition('b.', 1)} ORDER BY a.id`,
      () =>
        `SELECT email FROM patients WHERE id = ${this.id} UNION ALL SELECT email FROM patients WHERE id = ${this.id}`,
      () =>
        `SELECT a.id, x.e FROM patients a JOIN (VALUES (${this.value}), (${this.value})) AS x (e) ON a.email = x.e WHERE ${this.condition('a.', 1)} ORDER BY a.id`,
      () => `SELECT count(email)::int AS n, count(*)::int AS m FROM patients WHERE ${this.condition('')}`,
      () => `SELECT CASE WHEN ${this.condition('')} THEN email END AS e, id FROM patients ORDER BY id`,
      () => `SELECT x.b, x.d FROM patients AS x (a, b, c, d) WHERE x.c = ${this.value} ORDER BY x.a`,
      () => `SELECT ${this.of('max(email)', 'DISTINCT email', 'lower(email)', 'email || diagnosis')} FROM patients`,
      () => `SELECT id FROM patients ORDER BY ${this.of('email, id', 'id, email')}`,
    );
  }

  get returning(): string {
    return this.of('', '', ' RETURNING id, diagnosis, email');
  }

  get insert(): string {
    const row = () => `(${this.id}, 'n', ${this.stored}, ${this.stored})`;
    const conflict = () =>
      this.any(
        () => ' ON CONFLICT DO NOTHING',
        () => ' ON CONFLICT (id) DO UPDATE SET diagnosis = excluded.diagnosis',
        () =>
          ` ON CONFLICT (id) DO UPDATE SET email = ${this.value}, diagnosis = patients.diagnosis WHERE ${this.condition('patients.', 1)}`,
      );
    return this.any(
      () => `INSERT INTO patients VALUES ${row()}${conflict()}${this.returning}`,
      () => `INSERT INTO patients (id, name, diagnosis, email) VALUES ${row()}${conflict()}${this.returning}`,
      () =>
        `INSERT INTO patients (id, name, email) SELECT ${this.id}, 'n', ${this.expression}${conflict()}${this.returning}`,
      () =>
        `INSERT INTO patients (id, name, email, diagnosis) SELECT id + 1, name, email, ${this.value} FROM patients WHERE ${this.condition('')}${conflict()}`,
      () =>
        `WITH x AS (INSERT INTO patients (id, name, diagnosis) VALUES (${this.id}, 'n', ${this.stored})${conflict()} RETURNING id, diagnosis) SELECT * FROM x`,
      () =>
        `INSERT INTO patients (id, name, email, diagnosis) SELECT ${this.id}, 'n', ${this.value}, ${this.value} UNION ALL SELECT 9, 'n', ${this.value}, ${this.value}${conflict()}`,
    );
  }

  get write(): string {
    return this.any(
      () => this.insert,
      () => this.insert,
      () => `UPDATE patients SET diagnosis = ${this.expression} WHERE ${this.condition('')}${this.returning}`,
      () =>
        `UPDATE patients p SET (email, diagnosis) = (${this.value}, ${this.expression}) WHERE ${this.condition('p.')}`,
      () =>
        `UPDATE patients p SET ${this.of('email', 'diagnosis')} = x.v FROM (VALUES (1, ${this.value}), (3, ${this.stored.replace('DEFAULT', 'NULL')})) AS x (i, v) WHERE p.id = x.i AND ${this.condition('p.', 1)}`,
      () =>
        `UPDATE patients SET email = ${this.value} FROM (VALUES (1), (3)) AS x (i) WHERE patients.id = x.i AND ${this.condition('patients.')}`,
      () =>
        `UPDATE patients SET diagnosis = ${this.of('email', 'diagnosis', 'upper(diagnosis)')} WHERE id = ${this.id}`,
      () => `DELETE FROM patients WHERE ${this.condition('')}${this.returning}`,
      () =>
        `MERGE INTO patients p USING (VALUES (${this.value}, ${this.value}), (${this.of('NULL', 'NULL::text')}, ${this.value})) AS x (e, d) ON p.email = x.e WHEN MATCHED THEN UPDATE SET diagnosis = x.d ` +
        `WHEN NOT MATCHED THEN INSERT (id, name, email, diagnosis) VALUES (${this.id}, 'n', x.e, x.d)`,
      () =>
        `MERGE INTO patients p USING (VALUES (1), (4), (7)) AS x (i) ON p.id = x.i WHEN MATCHED AND ${this.condition('p.', 1)} THEN UPDATE SET diagnosis = ${this.value} ` +
        `WHEN NOT MATCHED THEN INSERT (id, name, email) VALUES (x.i, 'n', ${this.value})`,
    );
  }
}

export const chance: fc.Arbitrary<Chance> = fc.gen().map((g) => {
  const draw = new Draw(g);
  const sql = draw.of('write', 'write', 'select') === 'write' ? draw.write : draw.select;
  return { sql, values: draw.values };
});
