import t from 'tap';
import { refusePlaintext, requireLength } from '../../kms/answer.ts';
import { KmsError } from '../../kms/errors.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { throwsCode } from '../support/coded-error.ts';

t.test('zeroes a plaintext that KMS should not have sent (KMS_PLAINTEXT_RETURNED)', (t) => {
  const plaintext = Buffer.from('secret');
  throwsCode(() => refusePlaintext({ Plaintext: plaintext }), KmsError, 'KMS_PLAINTEXT_RETURNED');
  t.same(plaintext, Buffer.alloc(6));
  t.end();
});

t.test('zeroes a secret of the wrong length (KMS_RESPONSE_INVALID)', (t) => {
  const secret = SecretBuffer.take(Buffer.from('secret'));
  throwsCode(() => requireLength(secret, 32), KmsError, 'KMS_RESPONSE_INVALID');
  t.throws(() => secret.use(() => undefined), 'it cannot be used any more');
  t.end();
});
