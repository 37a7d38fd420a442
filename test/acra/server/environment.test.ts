import t from 'tap';
import { AcraError } from '../../../acra/errors.ts';
import { acraServerEnvironment, IN_LINE } from '../../../acra/server/environment.ts';
import { throwsCode } from '../../support/coded-error.ts';

t.test('gives nothing but the memory limit and an empty set of system roots', async (t) => {
  t.same(acraServerEnvironment(256, IN_LINE), {
    GOMEMLIMIT: '256MiB',
    SSL_CERT_FILE: '/dev/null',
    SSL_CERT_DIR: '/nonexistent',
  });
});

for (const [processors, threads] of [
  [1, '1'],
  [2, '1'],
  [3, '1'],
  [4, '2'],
  [16, '8'],
] as const) {
  t.test(`leaves half of ${processors} processors to those who ask the engine`, async (t) => {
    t.match(acraServerEnvironment(256, { kind: 'engine', processors }), { GOMAXPROCS: threads, GOGC: '1000' });
  });
}

for (const memoryLimitMiB of [0, 63, 128.5, Number.NaN]) {
  t.test(`rejects a memory limit of ${memoryLimitMiB} MiB (ACRA_OPTION_INVALID)`, async () => {
    throwsCode(() => acraServerEnvironment(memoryLimitMiB, IN_LINE), AcraError, 'ACRA_OPTION_INVALID');
  });
}
