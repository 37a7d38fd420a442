/** An enclave with another application: nobody who expects Acra takes it for one, and whoever expects it finds nothing missing. */
import t from 'tap';
import { verify } from '../../../attestation/verify/verify.ts';
import { APP } from '../support/app-statement.ts';
import { demands, evidenceOf, failuresOf, resultOf } from './support/evidence.ts';

const pcrs = typeof demands.measurements === 'object' ? demands.measurements.pcrs : new Map();

t.test('passes where this application is expected, and leaves out what only Acra has', async (t) => {
  const report = verify(evidenceOf({}, APP), { ...demands, measurements: { pcrs, statement: APP } });
  t.same(failuresOf(report), []);
  for (const claim of ['guard', 'relations', 'migrations']) t.equal(resultOf(report, claim), 'not-run', claim);
  for (const claim of ['expected-statement', 'rollback', 'tls-key-origin'])
    t.equal(resultOf(report, claim), 'pass', claim);
});

t.test('fails where nobody said that it would be no Acra, unless no guard is wanted', async (t) => {
  const report = verify(evidenceOf({}, APP), { ...demands, measurements: { pcrs } });
  t.same(failuresOf(report), ['guard ATTESTATION_GUARD_NOT_ENFORCING']);
  const guard = report.claims.find(({ claim }) => claim === 'guard');
  t.match(guard, { reason: /no Acra, and nobody said/, allowed: /runtime statement of this application/ });
  const allowed = verify(evidenceOf({}, APP), { ...demands, measurements: { pcrs }, allow: { noGuard: true } });
  t.same(failuresOf(allowed), []);
});

t.test('fails where another workload is expected', async (t) => {
  const report = verify(evidenceOf({}, APP), demands);
  t.ok(failuresOf(report).includes('expected-statement ATTESTATION_STATEMENT_MISMATCH'));
  const acra = verify(evidenceOf(), { ...demands, measurements: { pcrs, statement: APP } });
  t.ok(failuresOf(acra).includes('expected-statement ATTESTATION_STATEMENT_MISMATCH'));
});

t.test('fails where the application is another one', async (t) => {
  const other = { ...APP, egress: { routes: { away: 'example.org:443' }, http: null } };
  const report = verify(evidenceOf({}, other), { ...demands, measurements: { pcrs, statement: APP } });
  t.same(failuresOf(report), ['expected-statement ATTESTATION_STATEMENT_MISMATCH']);
});
