/** `*` in the place of values: it may be more columns than it shows, so nothing behind it is known to be for a protected column or not. */
import t from 'tap';
import { stateOf } from '../support/verdicts.ts';

for (const sql of [
  'INSERT INTO v SELECT (jsonb_populate_record(NULL::v, $1)).*',
  "INSERT INTO v (id, secret) SELECT (ROW (1, 'flu')::pair).*",
  "INSERT INTO v VALUES ((ROW (1, 'flu')::pair).*)",
  "INSERT INTO v SELECT y.* FROM (SELECT 1, 'flu') s, LATERAL (VALUES (s.*)) y",
  "INSERT INTO v SELECT * FROM unnest(ARRAY[ROW (1, 'flu')::pair])",
  'INSERT INTO v SELECT * FROM unnest($1)',
  'INSERT INTO v SELECT * FROM unnest($1::other.text[])',
  'INSERT INTO v SELECT * FROM other.unnest($1::text[])',
  "INSERT INTO v WITH RECURSIVE r AS (SELECT 1 AS id UNION ALL SELECT id FROM r) CYCLE id SET c TO bytea 'flu' DEFAULT bytea 'x' USING p SELECT * FROM r",
  "UPDATE v SET (id, secret, other) = ROW (y.*, 'z') FROM (SELECT 1, 'flu') y",
  "UPDATE v SET (id, secret) = (SELECT (ROW (1, 'flu')::pair).*)",
  "MERGE INTO v USING o ON v.id = o.id WHEN NOT MATCHED THEN INSERT VALUES ((ROW (1, 'flu')::pair).*)",
  'INSERT INTO v (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET (id, secret) = ROW (excluded.*)',
  "SELECT * FROM v, (SELECT 1, 'flu') y WHERE (id, email, other) = (y.*, 'z')",
]) {
  t.test(`rejects ${sql}`, async (t) => {
    t.equal(stateOf(sql), '0A000');
  });
}

for (const sql of [
  'INSERT INTO v SELECT * FROM v',
  'INSERT INTO v (id) SELECT (x).* FROM o',
  'INSERT INTO o VALUES ((ROW (1, 2)::pair).*)',
  "INSERT INTO v (id, secret) SELECT * FROM unnest(ARRAY[1, 2], ARRAY['p', 'q'])",
  'INSERT INTO v (id, secret) SELECT * FROM unnest($1::int[], $2::pg_catalog.text[])',
  'UPDATE v SET (id, other) = (SELECT (o.pair).* FROM o)',
]) {
  t.test(`keeps ${sql}`, async (t) => {
    t.equal(stateOf(sql), 'passes');
  });
}
