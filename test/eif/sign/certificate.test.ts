/** Certificate files: what may go into an image, and in which order. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { EifError } from '../../../eif/errors.ts';
import { checkValidity, daysLeft, parseCertificateChain } from '../../../eif/sign/certificate.ts';
import { checkKeyMatches } from '../../../eif/sign/key.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { chainOf, DAY_MS, keyOf, NOW_MS, vector } from '../support/vectors.ts';

const read = (name: string) => readFileSync(vector(name), 'latin1');
const parse = (text: string) => parseCertificateChain(Buffer.from(text, 'latin1'));
const blocks = read('es384-chain.cert.pem').match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];

t.test('reads a chain, signer first, with text around the blocks', async (t) => {
  const chain = parse(`the signer\n${blocks.join('\nissued by\n')}`);
  t.equal(chain.certificates.length, 3);
  t.match(chain.signer.subject, 'CN=chained signer');
});

t.test('rejects a file that would publish a private key (EIF_CERTIFICATE_INVALID)', async () => {
  const certificate = read('es384.cert.pem');
  throwsCode(() => parse(certificate + read('es384.key.pem')), EifError, 'EIF_CERTIFICATE_INVALID');
  const encrypted = '-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n';
  throwsCode(() => parse(encrypted + certificate), EifError, 'EIF_CERTIFICATE_INVALID');
  throwsCode(() => parse(`${certificate}-----BEGIN PRIVATE KEY-----\nAAAA\n`), EifError, 'EIF_CERTIFICATE_INVALID');
});

t.test('rejects a file without a certificate (EIF_CERTIFICATE_INVALID)', async () => {
  const damaged = read('es384.cert.pem').replace(/MII[A-Za-z0-9]{8}/, 'MIIAAAAAAAA');
  for (const text of ['', 'nothing', damaged]) throwsCode(() => parse(text), EifError, 'EIF_CERTIFICATE_INVALID');
});

t.test('rejects a chain in the wrong order or with a gap (EIF_CERTIFICATE_CHAIN)', async () => {
  const [leaf, intermediate, root] = blocks;
  for (const order of [
    [intermediate, leaf, root],
    [leaf, root],
    [root, intermediate],
  ]) {
    throwsCode(() => parse(order.join('')), EifError, 'EIF_CERTIFICATE_CHAIN');
  }
  throwsCode(() => parse(read('es384.cert.pem') + read('es256.cert.pem')), EifError, 'EIF_CERTIFICATE_CHAIN');
});

t.test('keeps validity to the second, at both ends', async () => {
  const chain = await chainOf('es384-short');
  const { validFromDate, validToDate } = chain.signer;
  checkValidity(chain, validFromDate.getTime());
  checkValidity(chain, validToDate.getTime());
  throwsCode(() => checkValidity(chain, validFromDate.getTime() - 1), EifError, 'EIF_CERTIFICATE_NOT_YET_VALID');
  throwsCode(() => checkValidity(chain, validToDate.getTime() + 1), EifError, 'EIF_CERTIFICATE_EXPIRED');
});

t.test('names a certificate without a name when it is refused', async (t) => {
  const chain = await chainOf('unnamed');
  for (const [nowMs, code] of [
    [0, 'EIF_CERTIFICATE_NOT_YET_VALID'],
    [NOW_MS + 40_000 * DAY_MS, 'EIF_CERTIFICATE_EXPIRED'],
  ] as const) {
    t.match(throwsCode(() => checkValidity(chain, nowMs), EifError, code).message, '(no name)');
  }
  const key = await keyOf('es256');
  t.match(throwsCode(() => checkKeyMatches(key, chain), EifError, 'EIF_KEY_MISMATCH').found, '(no name)');
});

t.test('counts whole days left, below zero afterwards', async (t) => {
  const chain = await chainOf('es384-short');
  const end = chain.signer.validToDate.getTime();
  t.equal(daysLeft(chain, end - 2.5 * DAY_MS), 2);
  t.equal(daysLeft(chain, end + 1), -1);
  t.ok(daysLeft(await chainOf('es384'), NOW_MS) > 36_000);
});
