/** Conditions: what compares columns, with each other, with values and with queries. */
import type { Draw } from './draw.ts';
import { literal, number, reference } from './names.ts';
import { select, selectOne } from './queries.ts';

export function condition(draw: Draw, depth = 2): string {
  const simple = () =>
    draw.any(
      () => comparison(draw),
      () => comparison(draw),
      () => unusual(draw),
    );
  if (depth <= 0) return simple();
  const inner = () => condition(draw, depth - 1);
  const column = () => reference(draw, 'value');
  return draw.any(
    simple,
    simple,
    simple,
    () => `(${inner()} ${draw.of('AND', 'OR')} ${inner()})`,
    () => `NOT (${inner()})`,
    () => `(${inner()}) IS TRUE`,
    () => `CASE WHEN ${inner()} THEN ${inner()} END`,
    () => `EXISTS (${select(draw, depth - 1).sql})`,
    () => `EXISTS (${select(draw, depth - 1).sql})`,
    () => `${draw.of(column(), literal(draw))} IN (${select(draw, depth - 1, ['value']).sql})`,
    () => `${column()} = (${selectOne(draw).sql})`,
    () => `${column()} IN (SELECT * FROM (${select(draw, depth - 1, ['value']).sql}) ${draw.of('s', 's (e)')})`,
    () => `${column()} = ANY (SELECT s.* FROM unnest(ARRAY['a', ${literal(draw)}]) ${draw.of('s', 's (e)')})`,
    () => `(${reference(draw, 'number')}, ${column()}) IN (${select(draw, depth - 1, ['number', 'value']).sql})`,
  );
}

function comparison(draw: Draw): string {
  const [column, value] = [() => reference(draw, 'value'), () => literal(draw)];
  const numbered = () => reference(draw, 'number');
  return draw.any(
    () => `${column()} = ${value()}`,
    () => `${column()} = ${value()}`,
    () => `${value()} = ${column()}`,
    () => `${column()} <> ${value()}`,
    () => `${column()} IN (${value()}, ${value()})`,
    () => `${column()} NOT IN (${value()})`,
    () => `${column()} = ANY (ARRAY[${value()}, ${value()}])`,
    () => `${column()} = ANY ('{a,b}')`,
    () => `${column()} <> ALL (ARRAY['a','c'])`,
    () => `${column()} IS NOT DISTINCT FROM ${value()}`,
    () => `${column()} IS NULL`,
    () => `${column()} = ${column()}`,
    () => `${column()} = ${column()}`,
    () => `${numbered()} = ${numbered()}`,
    () => `${numbered()} < ${number(draw)}`,
    () => `(${numbered()}, ${column()}) = (${number(draw)}, ${value()})`,
    () => `ROW (${column()}, ${column()}) = ROW (${value()}, ${value()})`,
  );
}

/** What ciphertext does not allow, and ways to a column that do not name it. */
function unusual(draw: Draw): string {
  const [column, value] = [() => reference(draw, 'value'), () => literal(draw)];
  const [first, ...others] = draw.frames.flat();
  const row = first && draw.of(first, ...others).name;
  const expression = () =>
    draw.any(
      () => `${column()} > ${value()}`,
      () => `${column()} LIKE ${value()}`,
      () => `lower(${column()}) = ${value()}`,
      () => `coalesce(${column()}, ${value()}) = ${value()}`,
      () => `${column()}::text = ${value()}`,
      () => `CASE ${column()} WHEN ${value()} THEN true ELSE false END`,
      () => `NULLIF(${column()}, 'a') IS NULL`,
      () => `concat(${column()}) = 'a'`,
      () => comparing(draw),
      () => `${column()}::text::varchar = ${value()}`,
    );
  if (row === undefined) return expression();
  return draw.any(
    expression,
    () => `${row}.to_jsonb->>'email' = 'a'`,
    () => `to_jsonb(${row})->>'email' = 'a'`,
    () => draw.of(`(${row}).email = 'a'`, `email(${row}) = 'a'`, `${row}.email = 'a'`),
    () => draw.of(`${row}::text LIKE '%a%'`, `ROW (${row}.*)::text LIKE '%a%'`, `${row} IS NOT NULL`),
  );
}

/** Functions that look for the one in the other, or work something out of both. */
function comparing(draw: Draw): string {
  const [column, value] = [reference(draw, 'value'), literal(draw)];
  return draw.of(
    `starts_with(${column}, ${value})`,
    `strpos(${column}, ${value}) > 0`,
    `position(${value} IN ${column}) > 0`,
    `regexp_like(${column}, ${value})`,
    `substring(${column} FROM ${value}) IS NOT NULL`,
    `replace(${column}, ${value}, '') IS NULL`,
    `array_position(ARRAY[${column}], ${value}) IS NOT NULL`,
    `jsonb_path_exists(to_jsonb(${column}), '$ ? (@ == "a")')`,
    `starts_with((SELECT ${column}), ${value})`,
    `${value} = ANY (ARRAY(SELECT ${column}))`,
    `${value} >= ALL (SELECT ${column})`,
    `left(${column}, 1) IS NOT NULL`,
    `concat_ws('-', ${column}, ${value}) IS NOT NULL`,
  );
}
