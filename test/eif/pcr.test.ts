/**
 * Single registers, held against values that AWS printed; where the content is ours, against SHA384(0^48 ‖ SHA384(content))
 * worked out by other means.
 */
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

/** Nitro Enclaves user guide, "Where to get an enclave's measurements", PCR3 and PCR4: what its commands print. */
const PRINTED_BY_AWS = {
  'arn:aws:iam::123456789012:role/Webserver':
    '78fce75db17cd4e0a3fb8dad3ad128ca5e77edbb2b2c7f75329dccd99aa5f6ef4fc1f1a452e315b9e98f9e312e6921e6',
  'i-1234567890abcdef0':
    '08f996b5d43e047a9eb51e7f548bfee7e164fd7dc8f65541f2ac09d6545ac812719327281c401a67a10fcba87ae79ce0',
};

/** The commands of the user guide, for texts whose hash it does not print. */
function ofParent(text: string): string {
  return createHash('sha384')
    .update(`${'\0'.repeat(48)}${text}`)
    .digest('hex');
}

t.test("measures the role of the parent instance as AWS's user guide does, as PCR3", async (t) => {
  const arn = 'arn:aws:iam::123456789012:role/Webserver';
  t.same(pcrOfRole(arn), { name: 'PCR3', value: Buffer.from(PRINTED_BY_AWS[arn], 'hex') });
  for (const other of [
    'arn:aws-us-gov:iam::123456789012:role/path/to/parent+x',
    'arn:aws-cn:iam::123456789012:role/parent',
  ]) {
    t.equal(pcrOfRole(other).value.toString('hex'), ofParent(other));
  }
});

t.test("measures the ID of the parent instance as AWS's user guide does, as PCR4", async (t) => {
  const id = 'i-1234567890abcdef0';
  t.same(pcrOfInstance(id), { name: 'PCR4', value: Buffer.from(PRINTED_BY_AWS[id], 'hex') });
  t.equal(pcrOfInstance('i-01234567').value.toString('hex'), ofParent('i-01234567'));
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
