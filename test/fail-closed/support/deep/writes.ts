/** INSERT, UPDATE, DELETE and MERGE, with all that may be seen from them. */
import { condition } from './conditions.ts';
import type { Draw, Shown } from './draw.ts';
import { literal, nameFrom, reference, TABLES, tableOf } from './names.ts';
import { select, selectOne, withQueries } from './queries.ts';
import { relation } from './relations.ts';

interface Target {
  readonly name: 'patients' | 'visits';
  /** Those that are no keys. */
  readonly columns: readonly [string, string, ...string[]];
}

const TARGETS: readonly [Target, Target] = [
  { name: 'patients', columns: ['name', 'email', 'diagnosis'] },
  { name: 'visits', columns: ['email', 'note'] },
];

export function write(draw: Draw, depth: number): string {
  return draw.within([], () => {
    const target = draw.of(TARGETS[0], ...TARGETS);
    const before = draw.is(20) ? withQueries(draw, depth) : '';
    const sql = draw.any(
      () => insert(draw, target, depth),
      () => update(draw, target, depth),
      () => remove(draw, target, depth),
      () => merge(draw, target, depth),
    );
    return before + sql;
  });
}

function stored(draw: Draw): string {
  const value = () => literal(draw);
  const seen = () => (draw.frame.length > 0 ? reference(draw, 'value') : value());
  return draw.any(
    value,
    value,
    value,
    seen,
    () => `${seen()}::${draw.of('text', 'varchar', 'text::varchar')}`,
    () => draw.of('DEFAULT', `coalesce(${value()}, ${value()})`, `(SELECT ${value()})`),
    () => `CASE WHEN ${condition(draw, 0)} THEN ${value()} ELSE ${seen()} END`,
    () => `(${selectOne(draw).sql})`,
  );
}

function returning(draw: Draw): string {
  if (draw.is(50)) return '';
  const results = ['id', nameFrom(draw), 'old.*', 'new.email', 'old.email, new.id', 'new.to_jsonb'];
  return ` RETURNING ${draw.of('*', ...results, reference(draw, 'value'))}`;
}

/** `id` among some of the others, in any order. */
function someColumns(draw: Draw, { columns }: Target): string[] {
  const some = columns.filter(() => draw.is(60));
  const all = ['id', ...(some.length > 0 ? some : [columns[0]])];
  return draw.is(30) ? all.toReversed() : all;
}

function insert(draw: Draw, target: Target, depth: number): string {
  const columns = someColumns(draw, target);
  const kinds = columns.map((name) => (name === 'id' ? 'number' : 'value'));
  const row = (at: number) =>
    columns.map((name) => (name === 'id' ? String(6 + at + draw.below(2) * 2) : literal(draw))).join(', ');
  const rows = draw.any(
    () => `VALUES ${draw.times(1 + draw.below(2), (at) => `(${row(at)})`).join(', ')}${first(draw)}`,
    () => select(draw, depth, kinds).sql,
  );
  const alias = draw.is(30) ? 'p' : undefined;
  const written: Shown = alias ? { name: alias, columns: TABLES[target.name] } : tableOf(target.name);
  draw.frames = [[written, { name: 'excluded', columns: TABLES[target.name] }]];
  const conflict = target.name === 'patients' && draw.is(40) ? onConflict(draw, target) : '';
  const names = draw.is(3) ? '' : ` (${columns.join(', ')})`;
  return `INSERT INTO ${draw.is(10) ? 'public.' : ''}${target.name}${alias ? ` AS ${alias}` : ''}${names} ${rows}${conflict}${returning(draw)}`;
}

const first = (draw: Draw) => (draw.is(15) ? ` ORDER BY ${draw.of('column1', 'column2', '1', '2')} LIMIT 1` : '');

function onConflict(draw: Draw, { columns }: Target): string {
  return draw.any(
    () => ' ON CONFLICT DO NOTHING',
    () =>
      ` ON CONFLICT (id) DO UPDATE SET ${draw.of(...columns)} = ${stored(draw)}${draw.is(50) ? ` WHERE ${condition(draw, 1)}` : ''}`,
    () =>
      ` ON CONFLICT (id) DO UPDATE SET (name, email) = (${literal(draw)}, ${draw.of('excluded.email', 'excluded.name', literal(draw))})`,
  );
}

function opened(draw: Draw, { name }: Target): string {
  const alias = draw.is(50) ? draw.of('p', 'x', 'notes') : undefined;
  draw.frames = [[alias ? { name: alias, columns: TABLES[name] } : tableOf(name)]];
  return alias ? `${name} AS ${alias}` : name;
}

function update(draw: Draw, target: Target, depth: number): string {
  const written = opened(draw, target);
  const [one, two] = target.columns;
  const from = draw.is(45) ? ` FROM ${relation(draw, depth - 1)}` : '';
  const set = draw.any(
    () => `${draw.of(...target.columns)} = ${stored(draw)}`,
    () => `(${one}, ${two}) = (${literal(draw)}, ${stored(draw)})`,
    () => `(${one}, ${two}) = (${select(draw, 0, ['value', 'value']).sql} LIMIT 1)`,
    () => `${one} = ${stored(draw)}, ${two} = ${stored(draw)}`,
  );
  const where = draw.is(75) ? ` WHERE ${condition(draw, depth)}` : '';
  return `UPDATE ${written} SET ${set}${from}${where}${returning(draw)}`;
}

function remove(draw: Draw, target: Target, depth: number): string {
  const written = opened(draw, target);
  const using = draw.is(40) ? ` USING ${relation(draw, depth - 1)}` : '';
  const where = draw.is(85) ? ` WHERE ${condition(draw, depth)}` : '';
  return `DELETE FROM ${written}${using}${where}${returning(draw)}`;
}

function merge(draw: Draw, target: Target, depth: number): string {
  draw.frames = [[]];
  const source = relation(draw, depth - 1);
  const sources = draw.frame;
  const own: Shown = { name: 'm', columns: TABLES[target.name] };
  const on = draw.of(
    `m.id = ${reference(draw, 'number')}`,
    `m.${draw.of(...target.columns)} = ${reference(draw, 'value')}`,
  );
  const both = [...sources, own];
  const seeing = (frame: Shown[], make: () => string) => draw.within([frame], make);
  const and = () => (draw.is(40) ? ` AND ${condition(draw, 1)}` : '');
  const set = () => draw.of('DELETE', `UPDATE SET ${draw.of(...target.columns)} = ${stored(draw)}`);
  const whens = draw.times(1 + draw.below(2), () =>
    draw.any(
      () => seeing(both, () => `WHEN MATCHED${and()} THEN ${set()}`),
      () => seeing(draw.is(60) ? sources : both, () => `WHEN NOT MATCHED${and()} THEN ${mergeInsert(draw, target)}`),
      () => seeing([own], () => `WHEN NOT MATCHED BY SOURCE${and()} THEN ${set()}`),
    ),
  );
  const results = draw.is(30)
    ? ` RETURNING ${draw.of('*', 'm.email', 'email', 'm.*, merge_action()', 'old.email')}`
    : '';
  return `MERGE INTO ${target.name} AS m USING ${source} ON ${on} ${whens.join(' ')}${results}`;
}

function mergeInsert(draw: Draw, target: Target): string {
  const columns = someColumns(draw, target);
  const values = columns.map((name) =>
    name === 'id' ? draw.of('6', '7', '8', reference(draw, 'number')) : stored(draw),
  );
  return `INSERT (${columns.join(', ')}) VALUES (${values.join(', ')})`;
}
