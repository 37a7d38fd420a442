/** A KMS key by its full ARN, the only name that nobody but AWS can point elsewhere. */
import { KmsError } from './errors.ts';

const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{1,64}$/;

/** @throws KmsError KMS_KEY_ARN_INVALID */
export function requireKeyArn(keyArn: string): void {
  if (KEY_ARN.test(keyArn)) return;
  throw new KmsError('KMS_KEY_ARN_INVALID', 'the KMS key is not named by a full key ARN', {
    found: keyArn,
    allowed: 'arn:<partition>:kms:<region>:<12-digit account>:key/<id>',
  });
}
