/**
 * Whole rows of a relation, where the statement does not say so: `r.f` is `f(r)` when `r` has no column `f` (PostgreSQL 18, "Composite
 * Type Usage"), so that `p.to_jsonb` holds every column of `p`.
 */

/** Every table has them; none holds a value. */
const SYSTEM_COLUMNS: readonly string[] = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'];

/** Of PostgreSQL 18: what takes any row by itself, and gives something of it back. */
const OF_ROWS: readonly string[] = [
  ...['any_value', 'array_agg', 'concat', 'hash_record', 'json_agg', 'json_agg_strict', 'json_build_array'],
  ...['jsonb_agg', 'jsonb_agg_strict', 'jsonb_build_array', 'max', 'min', 'quote_literal', 'quote_nullable'],
  ...['record_out', 'record_send', 'row_to_json', 'to_json', 'to_jsonb'],
];

/** Whether a name that is none of the columns that are known stands for a function of the row. @param isOpen whether there are others */
export const isOfRow = (isOpen: boolean, name: string) =>
  !SYSTEM_COLUMNS.includes(name) && (!isOpen || OF_ROWS.includes(name));
