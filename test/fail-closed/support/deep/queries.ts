/** SELECT, VALUES, UNION and WITH, and what a list of results holds. */
import { condition } from './conditions.ts';
import type { Draw, Named } from './draw.ts';
import { kindOf, listed, literal, NAMELESS, nameFrom, number, otherNames, reference, renamed } from './names.ts';
import { relation } from './relations.ts';

export interface Query {
  readonly sql: string;
  readonly columns: readonly Named[];
}

type Wanted = 'number' | 'value';

/** @param wanted what its columns are to be, where that is prescribed */
export function select(draw: Draw, depth: number, wanted?: readonly Wanted[]): Query {
  return draw.within([...draw.frames, []], () => {
    if (depth > 0 && draw.is(10)) return combined(draw, depth, wanted);
    if (draw.is(7)) return valuesQuery(draw, wanted ?? ['number', 'value']);
    const before = withQueries(draw, depth);
    const from = fromClause(draw, depth, draw.is(85) ? draw.of(1, 1, 2, 3) : 0);
    if (!wanted && draw.is(8)) return grouped(draw, before, from);
    const targets = wanted
      ? wanted.map((each) => target(draw, each))
      : draw.times(draw.is(4) ? 0 : 1 + draw.below(3), () => anyTarget(draw, depth));
    const distinct = targets.length > 0 && draw.is(12) ? 'DISTINCT ' : '';
    const order = draw.is(20) ? ` ORDER BY ${orderKey(draw)}` : '';
    const list = targets.map(({ sql }) => sql).join(', ');
    return {
      sql: `${before}SELECT ${distinct}${list}${from}${where(draw, depth, 65)}${order}`,
      columns: targets.flatMap(({ columns }) => columns),
    };
  });
}

/** One row of one column. */
export function selectOne(draw: Draw): Query {
  return draw.within([...draw.frames, []], () => {
    const from = fromClause(draw, 0, draw.of(0, 1, 1));
    const { sql, columns } = target(draw, 'value');
    return { sql: `SELECT ${sql}${from}${where(draw, 0, 60)} ORDER BY ${orderKey(draw)} LIMIT 1`, columns };
  });
}

const orderKey = (draw: Draw) => draw.of('1', '2', '3', nameFrom(draw), nameFrom(draw), reference(draw, 'any'));

const where = (draw: Draw, depth: number, percent: number) =>
  draw.is(percent) ? ` WHERE ${condition(draw, depth)}` : '';

function fromClause(draw: Draw, depth: number, count: number): string {
  return count === 0 ? '' : ` FROM ${draw.times(count, () => relation(draw, depth)).join(', ')}`;
}

function combined(draw: Draw, depth: number, wanted: readonly Wanted[] | undefined): Query {
  const kinds = wanted ?? draw.times<Wanted>(1 + draw.below(2), () => draw.of('number', 'value'));
  const outer = draw.frames.slice(0, -1);
  const [left, right] = draw.within(outer, () => [select(draw, depth - 1, kinds), select(draw, depth - 1, kinds)]);
  const operator = draw.of('UNION ALL', 'UNION ALL', 'UNION', 'EXCEPT', 'INTERSECT');
  const order = draw.is(30) ? ` ORDER BY ${draw.of('1', nameFrom(draw))}` : '';
  return { sql: `(${left?.sql}) ${operator} (${right?.sql})${order}`, columns: left?.columns ?? [] };
}

function valuesQuery(draw: Draw, kinds: readonly Wanted[]): Query {
  const one = (kind: Wanted) => (kind === 'number' ? number(draw) : literal(draw));
  const rows = draw.times(1 + draw.below(2), () => `(${kinds.map(one).join(', ')})`);
  const columns = kinds.map(
    (kind, index): Named => ({
      name: `column${index + 1}`,
      kind: kind === 'number' ? 'number' : 'text',
    }),
  );
  return { sql: `VALUES ${rows.join(', ')}`, columns };
}

export function withQueries(draw: Draw, depth: number): string {
  if (depth <= 0 || !draw.is(25)) return '';
  const isRecursive = draw.is(30);
  const names = [
    ...new Set(draw.times(1 + draw.below(2), () => draw.of('patients', 'notes', 'visits', 'c', 'v', 'w'))),
  ];
  const parts = names.map((name) => {
    const { sql, columns } = select(draw, depth - 1);
    const others = otherNames(draw, columns.length);
    draw.queries.push({ name, columns: renamed(columns, others) });
    return `${name}${listed(others)} AS ${draw.of('', 'MATERIALIZED ', 'NOT MATERIALIZED ')}(${sql})`;
  });
  return `WITH ${isRecursive ? 'RECURSIVE ' : ''}${(isRecursive && draw.is(30) ? parts.toReversed() : parts).join(', ')} `;
}

function grouped(draw: Draw, before: string, from: string): Query {
  const name = nameFrom(draw);
  const counted = draw.is(40) ? `, count(${reference(draw, 'value')})` : '';
  const other = draw.is(50) ? `, ${target(draw, 'value').sql}` : '';
  const key = draw.of(nameFrom(draw), '1', '2', reference(draw, 'any'));
  const keys = draw.of(key, `ROLLUP (${key})`, `(${key}, ${reference(draw, 'any')})`, `GROUPING SETS ((), (${key}))`);
  return {
    sql: `${before}SELECT count(*) AS ${name}${counted}${other}${from}${where(draw, 0, 60)} GROUP BY ${keys}`,
    columns: [{ name, kind: 'number' }],
  };
}

/** Of one column. */
function target(draw: Draw, wanted: Wanted): Query {
  const alias = draw.is(50) ? nameFrom(draw) : undefined;
  const named = (sql: string, name: string, kind: Named['kind']): Query => ({
    sql: alias === undefined ? sql : `${sql} AS ${alias}`,
    columns: [{ name: alias ?? name, kind }],
  });
  const column = reference(draw, wanted);
  const last = /^[\w.]+$/.test(column) ? (column.split('.').at(-1) ?? NAMELESS) : NAMELESS;
  const plain = () => named(column, last, wanted === 'number' ? 'number' : kindOf(draw, column));
  if (wanted === 'number') return draw.any(plain, plain, () => named(number(draw), NAMELESS, 'number'));
  return draw.any(
    plain,
    plain,
    plain,
    () => named(literal(draw), NAMELESS, 'text'),
    () => named(around(draw, column), 'coalesce', kindOf(draw, column)),
  );
}

function around(draw: Draw, column: string): string {
  const when = () => `CASE WHEN ${condition(draw, 0)} THEN ${column}`;
  return draw.any(
    () => `coalesce(${column}, ${draw.of(column, literal(draw))})`,
    () => `${when()} END`,
    () => `${when()} ELSE ${draw.of(column, reference(draw, 'value'), literal(draw))} END`,
    () => draw.of(`${column}::text`, `(SELECT ${column})`, "unnest(ARRAY['a', 'b'])"),
  );
}

/** Also of several columns, or of one that is no value. */
function anyTarget(draw: Draw, depth: number): Query {
  const one = () => target(draw, draw.of('value', 'value', 'number'));
  const [first, ...others] = draw.frame;
  const row = first && draw.of(first, ...others);
  const other = (sql: string): Query => ({ sql, columns: [{ name: NAMELESS, kind: 'other' }] });
  return draw.any(
    one,
    one,
    one,
    one,
    () => (depth > 0 ? other(`(${selectOne(draw).sql})`) : one()),
    () => other(`${condition(draw, depth - 1)} AS q`),
    () => other(`EXISTS (${select(draw, 0).sql})`),
    () => (row ? { sql: `${row.name}.*`, columns: row.columns } : one()),
    () => (row ? { sql: '*', columns: draw.frame.flatMap(({ columns }) => columns) } : one()),
    () => (row ? other(draw.of(`${row.name}.row_to_json`, `row_to_json(${row.name})`, 'count(*) OVER ()')) : one()),
  );
}
