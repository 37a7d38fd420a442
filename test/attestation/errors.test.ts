import t from 'tap';
import { ATTESTATION_ERRORS, NSM_ERRORS } from '../../attestation/errors.ts';
import type { KmsErrorCode } from '../../kms/errors.ts';
import { CMS_ERRORS, KMS_ERRORS, KmsError } from '../../kms/errors.ts';

t.test('only failures that may pass by themselves are retryable', (t) => {
  const retryable = (Object.keys(KMS_ERRORS) as KmsErrorCode[]).filter((code) => new KmsError(code, '').retryable);
  t.same(retryable, ['KMS_CREDENTIALS_EXPIRED', 'KMS_CREDENTIALS_UNAVAILABLE', 'KMS_THROTTLED', 'KMS_UNAVAILABLE']);
  t.end();
});

t.test('every code bears the name of its boundary', (t) => {
  const catalogues = { NSM: NSM_ERRORS, ATTESTATION: ATTESTATION_ERRORS, CMS: CMS_ERRORS, KMS: KMS_ERRORS };
  for (const [boundary, catalogue] of Object.entries(catalogues)) {
    for (const code of Object.keys(catalogue)) t.ok(code.startsWith(`${boundary}_`), code);
  }
  t.end();
});
