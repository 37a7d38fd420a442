/** Names of indexes are a schema's: two columns never share one, or `IF NOT EXISTS` would leave the second without. */
import t from 'tap';
import { uniqueIndexName } from '../../../acra/belts/names.ts';

t.test('keeps unique indexes apart whose columns read alike in a row', async (t) => {
  t.not(uniqueIndexName('a', ['b_c']), uniqueIndexName('a_b', ['c']));
  t.not(uniqueIndexName('a', ['b', 'c']), uniqueIndexName('a', ['b_c']));
  t.equal(uniqueIndexName('patients', ['email']), 'acra_unique_patients_email');
});
