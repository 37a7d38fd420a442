import { createHash, X509Certificate } from 'node:crypto';
import t from 'tap';
import { AWS_NITRO_ROOT_G1_PEM } from '../../attestation/aws-root.ts';

t.test('the pinned root is AWS Nitro Enclaves root G1', (t) => {
  const root = new X509Certificate(AWS_NITRO_ROOT_G1_PEM);
  t.equal(
    createHash('sha256').update(root.raw).digest('hex'),
    '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b',
  );
  t.ok(root.verify(root.publicKey), 'it is self-signed');
  t.end();
});
