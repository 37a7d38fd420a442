/**
 * What of PostgreSQL works something out of its operands, puts them together, or takes a part by its place or its name (18, chapter
 * "Functions and Operators"), and does not look for the one in the other. Whatever is not named here may compare: it matches, tests,
 * searches, cuts at what it is told to look for, or is somebody's own.
 */
import type { FuncCall, Node } from 'libpg-query';
import { as, builtInName } from '../tree.ts';

const OPERATORS = ['+', '-', '*', '/', '%', '^', '||', '->', '->>', '#>', '#>>', '#-', '&', '|', '#'];

const FUNCTIONS: ReadonlySet<string> = new Set([
  // Time.
  ...['age', 'date_add', 'date_bin', 'date_part', 'date_subtract', 'date_trunc', 'extract', 'timezone', 'to_timestamp'],
  ...[
    'make_date',
    'make_interval',
    'make_time',
    'make_timestamp',
    'make_timestamptz',
    'to_char',
    'to_date',
    'to_number',
  ],
  // Numbers.
  ...['atan2', 'atan2d', 'div', 'gcd', 'lcm', 'log', 'mod', 'pow', 'power', 'round', 'trunc', 'random'],
  // Texts and bytes, by places.
  ...['concat', 'concat_ws', 'format', 'left', 'right', 'lpad', 'rpad', 'overlay', 'repeat', 'substr', 'normalize'],
  ...['is_normalized', 'convert', 'convert_from', 'convert_to', 'decode', 'encode', 'get_bit', 'get_byte', 'set_bit'],
  ...['set_byte', 'set_masklen', 'setweight', 'to_tsvector'],
  // Arrays and ranges.
  ...['array_append', 'array_cat', 'array_fill', 'array_length', 'array_lower', 'array_prepend', 'array_to_string'],
  ...['array_upper', 'trim_array', 'generate_series', 'generate_subscripts', 'num_nonnulls', 'num_nulls'],
  ...['daterange', 'int4range', 'int8range', 'numrange', 'tsrange', 'tstzrange'],
  // JSON: by the names of fields.
  ...[
    'array_to_json',
    'row_to_json',
    'json_build_array',
    'json_build_object',
    'jsonb_build_array',
    'jsonb_build_object',
  ],
  ...['json_extract_path', 'json_extract_path_text', 'jsonb_extract_path', 'jsonb_extract_path_text', 'json_object'],
  ...['jsonb_object', 'jsonb_insert', 'jsonb_set', 'jsonb_set_lax', 'json_strip_nulls', 'jsonb_strip_nulls'],
  // Aggregates and windows.
  ...['json_object_agg', 'json_object_agg_strict', 'jsonb_object_agg', 'jsonb_object_agg_strict', 'string_agg'],
  ...['lag', 'lead', 'nth_value', 'percentile_cont', 'percentile_disc'],
]);

/** They yield what stands at a path. A path may have a filter. */
const BY_PATH = ['jsonb_path_query', 'jsonb_path_query_array', 'jsonb_path_query_first', 'xpath'];

/** Names and places: no operator, no quotes, no function. */
const PLAIN_PATH = /^[\p{L}\p{N}_\s$.*/:@[\],-]*$/u;

/** A literal that only says where something stands, as jsonpath and XPath write it. */
export function isPlainPath(node: Node | undefined): boolean {
  const cast = as(node, 'TypeCast');
  if (cast) return isPlainPath(cast.arg);
  const { sval } = as(node, 'A_Const') ?? {};
  return sval !== undefined && PLAIN_PATH.test(sval.sval ?? '');
}

const isPlace = (node: Node) => as(node, 'A_Const')?.ival !== undefined;

/** Where a function takes what only says how, or where: it is not in what comes out. */
const SETTINGS: Readonly<Record<string, readonly number[]>> = {
  date_trunc: [0, 2],
  date_part: [0],
  extract: [0],
  timezone: [0],
  round: [1],
  trunc: [1],
  left: [1],
  right: [1],
  substr: [1, 2],
  encode: [1],
  decode: [1],
};

const BY_NAME = ['->', '->>', '#>', '#>>'];

const isLiteral = (node: Node | undefined): boolean => {
  const cast = as(node, 'TypeCast');
  return cast ? isLiteral(cast.arg) : as(node, 'A_Const') !== undefined;
};

/** Of what a function or operator is given: what may be in what comes out. Undefined for any other node. */
export function carriedBy(node: Node): readonly (Node | undefined)[] | undefined {
  const [call, expression] = [as(node, 'FuncCall'), as(node, 'A_Expr')];
  if (expression?.kind === 'AEXPR_OP' && BY_NAME.includes(builtInName(expression.name) ?? ''))
    return isLiteral(expression.rexpr) ? [expression.lexpr] : undefined;
  const name = builtInName(call?.funcname) ?? '';
  const args = call?.args ?? [];
  if (BY_PATH.includes(name)) return args.filter((each) => !isPlainPath(each));
  const places = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined;
  return places && args.filter((each, index) => !(places.includes(index) && isLiteral(each)));
}

export const worksOutOperator = (name: readonly Node[] | undefined) => OPERATORS.includes(builtInName(name) ?? '');

/** What a function may compare with each other of what it is given. */
export function comparedBy({ funcname, args = [], agg_order: order = [] }: FuncCall): readonly Node[] {
  const name = builtInName(funcname) ?? '';
  if (FUNCTIONS.has(name)) return [];
  if (BY_PATH.includes(name)) return args.filter((each) => !isPlainPath(each));
  // With a text it is a pattern.
  if (name === 'substring') return args.filter((each, index) => index === 0 || !isPlace(each));
  return [...args, ...order];
}
