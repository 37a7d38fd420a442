/** What verification says beside its claims, to whoever uses a service. */
import t from 'tap';
import { notesOf } from '../../../cli/verify/notes.ts';
import { statement } from '../../attestation/verify/support/evidence.ts';

const report = { claims: [], statement };

t.test('says that the parent can be the users of the database, where the login is so', async (t) => {
  const byIam = { ...statement, database: { ...statement.database, login: 'rds-iam' as const } };
  t.match(notesOf({ ...report, statement: byIam }), [/role of the parent instance logs in to the database/]);
  t.same(notesOf(report), []);
  t.same(notesOf({ ...report, statement: null }), []);
});
