/** Nothing that compares is given both a value of the statement and what a relation has that nobody listed. */
import t from 'tap';
import type { Policy } from '../../../../acra/statements/policy.ts';
import { stateOf } from '../support/verdicts.ts';

const LISTED: Policy = {
  relations: 'listed',
  list: { relations: ['orders'], functions: ['touch'], operators: ['||'], uniqueSearches: [] },
};

const COMPARED = [
  "starts_with(address, 'flu')",
  "starts_with('flu', address)",
  'starts_with(address, $1::text)',
  "starts_with(upper(address), 'flu')",
  "starts_with(address, (SELECT 'flu'))",
  "starts_with((SELECT address), 'flu')",
  "pg_catalog.starts_with(address, 'flu')",
  "strpos(address, 'flu')",
  "position('flu' IN address)",
  "regexp_like(address, '^flu')",
  "regexp_match(address, 'flu', 'i')",
  "regexp_replace(address, 'flu', '')",
  "regexp_substr(address, 'flu')",
  "substring(address FROM 'fl.')",
  "substring(address, 'fl.')",
  'substring(address FROM $1)',
  "substring(address SIMILAR 'f#\"l#\"u' ESCAPE '#')",
  "replace(address, 'flu', 'x')",
  "translate(address, 'flu', 'x')",
  "split_part(address, 'flu', 1)",
  "trim(BOTH 'flu' FROM address)",
  "ltrim(address, 'flu')",
  "string_to_array(address, 'flu')",
  "array_position(ARRAY[address], 'flu')",
  "array_remove(array_agg(address), 'flu')",
  "textlike(address, '%flu%')",
  "texteq(address, 'flu')",
  "ts_rank(to_tsvector(address), to_tsquery('flu'))",
  "ts_match_vq(to_tsvector(address), to_tsquery('flu'))",
  'jsonb_path_exists(address, \'$ ? (@ == "flu")\')',
  'jsonb_path_query(address, \'$ ? (@ == "flu")\')',
  'jsonb_path_query(address, \'$ ? (@ == $v)\', \'{"v": "flu"}\')',
  'jsonb_contains(address, \'"flu"\')',
  'jsonb_path_query(address, $1)',
  'JSON_VALUE(address, \'$ ? (@ == "flu")\')',
  "JSON_EXISTS(address, '$.a ? (@ == $v)' PASSING 'flu' AS v)",
  'xpath(\'//a[. = "flu"]\', address)',
  'XMLEXISTS(\'//a[. = "flu"]\' PASSING address)',
  "width_bucket(address, '1', '2', 5)",
  "rank('flu') WITHIN GROUP (ORDER BY address)",
  "touch(address, 'flu')",
  "(address, id) OVERLAPS ('flu', 'x')",
  "address @> 'flu'",
  "address ^@ 'flu'",
  "address LIKE 'flu%'",
  "address OPERATOR(other.||) 'flu'",
  // What a sub-select yields is a column like any other.
  "(SELECT address FROM renamed LIMIT 1) LIKE 'flu%'",
  "(SELECT address FROM renamed LIMIT 1) > 'flu'",
  "upper((SELECT address FROM renamed LIMIT 1)) = 'flu'",
  "starts_with((SELECT address FROM renamed LIMIT 1), 'flu')",
  "'flu' = ANY (ARRAY(SELECT address FROM renamed))",
  "array_position(ARRAY(SELECT address FROM renamed), 'flu')",
  "'flu' > ANY (SELECT address FROM renamed)",
  "'flu' ~~ ANY (SELECT * FROM renamed)",
  "'flu' < ALL (SELECT address FROM renamed)",
  "address > ANY (SELECT 'flu')",
  "(1, 'flu') < (SELECT id, address FROM renamed)",
  "CASE (SELECT address FROM renamed) WHEN 'flu' THEN 1 END",
  "greatest((SELECT address FROM renamed), 'flu')",
];

for (const expression of COMPARED) {
  t.test(`rejects ${expression}`, async (t) => {
    t.equal(stateOf(`SELECT ${expression} FROM renamed`, LISTED), '42501');
    t.equal(stateOf(`SELECT * FROM renamed WHERE ${expression} IS NULL`, LISTED), '42501');
    t.equal(stateOf(`SELECT ${expression} FROM renamed`), 'passes', 'with `any`');
    if (!expression.includes('renamed'))
      t.equal(stateOf(`SELECT ${expression} FROM orders`, LISTED), 'passes', 'of a relation on the list');
  });
}

const STATEMENTS = [
  "SELECT * FROM renamed r, LATERAL regexp_matches(r.address, 'flu')",
  "SELECT * FROM renamed r, regexp_split_to_table(r.address, 'flu') p",
  "SELECT * FROM renamed r, JSON_TABLE(r.address, '$ ? (@ == \"flu\")' COLUMNS (a text PATH '$.a')) j",
  "SELECT * FROM renamed r, JSON_TABLE(r.address, '$' COLUMNS (a text PATH '$ ? (@ == \"flu\")')) j",
  "SELECT * FROM renamed r, JSON_TABLE(r.address, '$' COLUMNS (NESTED PATH '$ ? (@ == \"flu\")' COLUMNS (a text))) j",
  "SELECT * FROM renamed r, XMLTABLE('//a[. = \"flu\"]' PASSING r.address COLUMNS a text PATH '@a') x",
  "SELECT starts_with(r.address, v.a) FROM renamed r, (VALUES ('flu')) v (a)",
  "SELECT starts_with(x.a, 'flu') FROM (SELECT upper(address) AS a FROM renamed) x",
  "SELECT * FROM (SELECT ARRAY(SELECT address FROM renamed) AS a) x WHERE 'flu' = ANY (a)",
  "SELECT * FROM (SELECT upper((SELECT address FROM renamed)) AS a) x WHERE a = 'flu'",
  "SELECT 1 FROM renamed GROUP BY id HAVING starts_with(max(address), 'flu')",
  "SELECT count(*) FILTER (WHERE starts_with(address, 'flu')) FROM renamed",
  "SELECT id FROM renamed ORDER BY strpos(address, 'flu')",
  "UPDATE orders SET a = strpos(r.address, 'flu') FROM renamed r",
  "INSERT INTO orders (a) SELECT strpos(address, 'flu') FROM renamed",
  "COPY (SELECT strpos(address, 'flu') FROM renamed) TO STDOUT",
  'PREPARE p AS SELECT strpos(address, $1) FROM renamed',
  "CREATE VIEW v AS SELECT strpos(address, 'flu') FROM renamed",
];

for (const sql of STATEMENTS) {
  t.test(`rejects ${sql}`, async (t) => {
    t.equal(stateOf(sql, LISTED), '42501');
  });
}

/** They work something out, put together, or take a part by its place or name. */
const WORKED_OUT = [
  "date_trunc('day', created)",
  "date_part('year', created)",
  'extract(year FROM created)',
  "created AT TIME ZONE 'UTC'",
  "to_char(created, 'YYYY-MM')",
  "to_date(created, 'YYYY')",
  "created + interval '1 day'",
  'age(created, now())',
  "coalesce(note, '-')",
  'round(price, 2)',
  'mod(id, 10)',
  'power(price, $1)',
  'price * 2 + 1',
  "note || ' ' || $1",
  "concat(note, ' ', title)",
  "concat_ws(', ', note, title)",
  "format('%s: %s', id, note)",
  'left(note, 20)',
  'substr(note, $1, 5)',
  'substring(note FROM 1 FOR 3)',
  'substring(note, 2)',
  "lpad(note, 10, '0')",
  "encode(body, 'hex')",
  "string_agg(note, ', ' ORDER BY note)",
  "array_to_string(array_agg(note), ', ')",
  "array_append(tags, 'x')",
  "payload -> 'a' ->> 'b'",
  "payload #>> '{a,b}'",
  "jsonb_extract_path_text(payload, 'a', 'b')",
  "jsonb_path_query_array(payload, '$.items[*].name')",
  "JSON_VALUE(payload, '$.a[0].b')",
  "JSON_QUERY(payload, 'strict $.a' WITH WRAPPER)",
  "jsonb_build_object('id', id, 'note', note)",
  'json_object_agg(note, 1)',
  "jsonb_set(payload, '{a}', '1')",
  "to_tsvector('english', note)",
  'count(*)',
  'count(DISTINCT note)',
  'sum(price)',
  'percentile_cont(0.5) WITHIN GROUP (ORDER BY price)',
  'lag(price, 1, 0) OVER (ORDER BY id)',
  'row_number() OVER (PARTITION BY note ORDER BY id)',
  'generate_series(1, quantity)',
  'upper(note)',
  'trim(note)',
  "upper(note || 'x')",
  'touch(note)',
  'strpos(note, title)',
  'regexp_match(note, NULL)',
  "starts_with('flu', 'f')",
  '(SELECT count(*) FROM hidden h) > 5',
  'EXISTS (SELECT 1 FROM orders o WHERE o.id = h.id)',
  "CASE WHEN active THEN 'yes' ELSE note END",
  'num_nulls(note, 1)',
];

for (const expression of WORKED_OUT) {
  t.test(`keeps ${expression}`, async (t) => {
    t.equal(stateOf(`SELECT ${expression} AS a FROM hidden h LIMIT 5`, LISTED), 'passes');
  });
}

t.test('keeps reading by plain paths in FROM', async (t) => {
  const json =
    "JSON_TABLE(h.payload, '$.items[*]' COLUMNS (n FOR ORDINALITY, a text PATH '$.a' DEFAULT '-' ON EMPTY)) j";
  t.equal(stateOf(`SELECT * FROM hidden h, ${json}`, LISTED), 'passes');
  const xml = "XMLTABLE('/rows/row' PASSING h.body COLUMNS a text PATH '@a' DEFAULT '-') x";
  t.equal(stateOf(`SELECT * FROM hidden h, ${xml}`, LISTED), 'passes');
});
