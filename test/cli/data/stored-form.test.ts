/** Nothing is proved through what does not show protected columns as they are stored. */
import t from 'tap';
import { connect } from '../../../cli/data/connection.ts';
import { requireStoredForm } from '../../../cli/data/verify/stored-form.ts';
import { migrating, SEARCHABLE } from './support/migrating.ts';

t.test('rejects what does not know acra_enclave.protected (CLI_DATA_AS_STORED)', async (t) => {
  const { postgres, owner } = await migrating(t, SEARCHABLE, 'SELECT 1');
  const at = (port: number) => (options: string) =>
    connect({ host: '127.0.0.1', port, user: 'app', password: 'pencil', database: 'shop', options });
  await requireStoredForm(at(postgres.port));
  await t.rejects(requireStoredForm(at(owner.port)), { code: 'CLI_DATA_AS_STORED' });
  await t.rejects(requireStoredForm(at(1)), { code: 'ECONNREFUSED' }, 'and says otherwise what is the case');
});
