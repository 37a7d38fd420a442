import t from 'tap';
import { AcraError } from '../../../acra/errors.ts';
import { acraServerEnvironment } from '../../../acra/server/environment.ts';
import { throwsCode } from '../../support/coded-error.ts';

t.test('gives nothing but the memory limit and an empty set of system roots', async (t) => {
  t.same(acraServerEnvironment({ memoryLimitMiB: 256 }), {
    GOMEMLIMIT: '256MiB',
    SSL_CERT_FILE: '/dev/null',
    SSL_CERT_DIR: '/nonexistent',
  });
});

for (const memoryLimitMiB of [0, 63, 128.5, Number.NaN]) {
  t.test(`rejects a memory limit of ${memoryLimitMiB} MiB (ACRA_OPTION_INVALID)`, async () => {
    throwsCode(() => acraServerEnvironment({ memoryLimitMiB }), AcraError, 'ACRA_OPTION_INVALID');
  });
}
