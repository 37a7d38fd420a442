/** What FROM names: tables, queries, VALUES, functions and joins of these. */
import { condition } from './conditions.ts';
import type { Draw, Shown } from './draw.ts';
import { aliasFrom, listed, literal, nameFrom, number, otherNames, renamed, TABLES, type TableName } from './names.ts';
import { select } from './queries.ts';

function added(draw: Draw, relation: Shown): Shown {
  draw.frame.push(relation);
  return relation;
}

/** Adds what it names to the innermost query. */
export function relation(draw: Draw, depth: number): string {
  return draw.any(
    () => table(draw),
    () => table(draw),
    () => table(draw),
    () => table(draw),
    () => query(draw, depth),
    () => values(draw),
    () => unnest(draw),
    () => (depth > 0 ? join(draw, depth) : table(draw)),
    () => (draw.is(30) ? sample(draw) : table(draw)),
  );
}

function table(draw: Draw): string {
  const known: TableName = draw.is(4) ? 'v' : draw.of('patients', 'visits', 'notes');
  const found = draw.is(30) ? draw.queries.at(-1 - draw.below(Math.max(1, draw.queries.length))) : undefined;
  const name = found?.name ?? known;
  const own = draw.queries.findLast((each) => each.name === name);
  const hasSchema = name in TABLES && draw.is(15);
  const columns = own && !hasSchema ? own.columns : (TABLES[name as TableName] ?? []);
  const sql = `${hasSchema ? 'public.' : ''}${name}${draw.is(5) ? ' *' : ''}`;
  if (draw.is(50) && draw.frame.every((each) => each.name !== name)) {
    added(draw, { name, columns, isTable: !own || hasSchema });
    return sql;
  }
  const [alias, names] = [aliasFrom(draw), otherNames(draw, columns.length)];
  added(draw, { name: alias, columns: renamed(columns, names) });
  return `${sql} AS ${alias}${listed(names)}`;
}

function query(draw: Draw, depth: number): string {
  const isLateral = draw.is(40);
  const frames = isLateral ? draw.frames : draw.frames.slice(0, -1);
  const { sql, columns } = draw.within(frames, () => select(draw, depth - 1));
  const [alias, names] = [aliasFrom(draw), otherNames(draw, columns.length)];
  added(draw, { name: alias, columns: renamed(columns, names) });
  return `${isLateral ? 'LATERAL ' : ''}(${sql}) AS ${alias}${listed(names)}`;
}

function values(draw: Draw): string {
  const rows = draw.times(1 + draw.below(3), () => `(${number(draw)}, ${literal(draw)})`);
  const names = draw.of(['id', 'email'], ['i', 'e'], ['a', 'name'], []);
  const { name } = added(draw, {
    name: aliasFrom(draw),
    columns: [
      { name: names[0] ?? 'column1', kind: 'number' },
      { name: names[1] ?? 'column2', kind: 'text' },
    ],
  });
  return `(VALUES ${rows.join(', ')}) AS ${name}${listed(names)}`;
}

function unnest(draw: Draw): string {
  const sql = `unnest(ARRAY['a', ${literal(draw)}])`;
  if (draw.is(30)) return numbered(draw, sql);
  const isAlone = draw.is(30) && draw.frame.every(({ name }) => name !== 'unnest');
  const [name, column] = isAlone ? ['unnest', 'unnest'] : [aliasFrom(draw), draw.of('email', 'e', 'name')];
  added(draw, { name, columns: [{ name: column, kind: 'text' }] });
  return isAlone ? sql : `${sql} AS ${name}(${column})`;
}

/** A column of numbers beside it. */
function numbered(draw: Draw, sql: string): string {
  const [name, column, number] = [aliasFrom(draw), draw.of('email', 'e', 'name'), draw.of('id', 'n')];
  const columns = [
    { name: column, kind: 'text' },
    { name: number, kind: 'number' },
  ] as const;
  added(draw, { name, columns });
  return draw.of(
    `${sql} WITH ORDINALITY AS ${name}(${column}, ${number})`,
    `ROWS FROM (${sql}, unnest(ARRAY[1, 2])) AS ${name}(${column}, ${number})`,
  );
}

function sample(draw: Draw): string {
  const method = `bernoulli (CASE WHEN ${condition(draw, 0)} THEN 100 ELSE 100 END)`;
  const { name } = added(draw, { name: aliasFrom(draw), columns: TABLES.notes });
  return `notes AS ${name} TABLESAMPLE ${method}`;
}

function join(draw: Draw, depth: number): string {
  const before = draw.frame.length;
  const [left, right] = [relation(draw, depth - 1), relation(draw, depth - 1)];
  const inside = draw.frame.splice(before);
  // What stands beside the join is not seen in ON; whoever names it nevertheless means something further outside.
  const seen = draw.is(85) ? inside : [...draw.frame, ...inside];
  const on = draw.within([...draw.frames.slice(0, -1), seen], () => condition(draw, depth - 1));
  const sql = draw.of(
    `${left} JOIN ${right} ON ${on}`,
    `${left} JOIN ${right} ON ${on}`,
    `${left} LEFT JOIN ${right} ON ${on}`,
    `${left} NATURAL JOIN ${right}`,
    `${left} JOIN ${right} USING (${draw.of('id', nameFrom(draw))})`,
  );
  if (draw.is(75)) {
    draw.frame.push(...inside);
    return draw.is(50) ? `(${sql})` : sql;
  }
  const { name } = added(draw, { name: aliasFrom(draw), columns: inside.flatMap(({ columns }) => columns) });
  return `(${sql}) AS ${name}`;
}
