/** Single registers. Expected values are SHA384(0^48 ‖ SHA384(content)), worked out here by other means. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { EifError } from '../../eif/errors.ts';
import { pcrOfCertificate, pcrOfFile, pcrOfInstance, pcrOfRole } from '../../eif/pcr.ts';
import { rejectsCode, throwsCode } from '../support/coded-error.ts';
import { writeBytes } from './support/images.ts';
import { vector } from './support/vectors.ts';

function expected(content: string | Buffer): string {
  const inner = createHash('sha384').update(content).digest('hex');
  return createHash('sha384')
    .update(`${'00'.repeat(48)}${inner}`, 'hex')
    .digest('hex');
}

t.test('measures a file', async (t) => {
  const content = Buffer.alloc(600_000, 'x');
  const { name, value } = await pcrOfFile(writeBytes(t, content));
  t.same([name, value.toString('hex')], ['PCR', expected(content)]);
});

t.test('measures empty content as the golden PCR2 of one ramdisk', async (t) => {
  const { value } = await pcrOfFile(writeBytes(t, Buffer.alloc(0)));
  t.match(value.toString('hex'), /^21b9efbc184807662e966d34f390821309eeac68/);
});

t.test('measures the role of the parent instance as PCR3', async (t) => {
  for (const arn of [
    'arn:aws:iam::123456789012:role/parent',
    'arn:aws-us-gov:iam::123456789012:role/path/to/parent+x',
  ]) {
    const { name, value } = pcrOfRole(arn);
    t.same([name, value.toString('hex')], ['PCR3', expected(arn)]);
  }
});

t.test('measures the ID of the parent instance as PCR4', async (t) => {
  const { name, value } = pcrOfInstance('i-0123456789abcdef0');
  t.same([name, value.toString('hex')], ['PCR4', expected('i-0123456789abcdef0')]);
});

t.test("measures the signing certificate as AWS's library does, as PCR8", async (t) => {
  const { name, value } = await pcrOfCertificate(vector('es384.cert.pem'));
  t.equal(name, 'PCR8');
  t.match(value.toString('hex'), /^2abe18dd833fee246d77fa805e12464a748ac1d5/);
});

t.test('rejects what is no role ARN or instance ID (EIF_PCR_INPUT)', async () => {
  for (const arn of [
    '',
    'role',
    'arn:aws:iam::123456789012:instance-profile/x',
    'arn:aws:iam::1:role/x',
    'arn:aws:iam::123456789012:role/x\n',
  ]) {
    throwsCode(() => pcrOfRole(arn), EifError, 'EIF_PCR_INPUT');
  }
  for (const id of ['', 'i-', 'i-0123456789ABCDEF0', 'i-0123456789abcdef0 ', 'm-01234567']) {
    throwsCode(() => pcrOfInstance(id), EifError, 'EIF_PCR_INPUT');
  }
});

t.test('rejects files that cannot be read (EIF_FILE_READ, EIF_CERTIFICATE_INVALID)', async () => {
  await rejectsCode(() => pcrOfFile('/nonexistent'), EifError, 'EIF_FILE_READ');
  await rejectsCode(() => pcrOfCertificate('/nonexistent'), EifError, 'EIF_CERTIFICATE_INVALID');
});
