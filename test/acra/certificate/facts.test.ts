/** What Go refuses to read of a certificate below the names and extensions that test/keys/tls tries. */
import t from 'tap';
import { readCertificateFacts } from '../../../acra/certificate/facts.ts';
import { FormatError } from '../../../encoding/format-error.ts';
import { GOOD, makeCertificate } from '../../keys/support/certificate-maker.ts';

const good = makeCertificate(GOOD.client, Date.UTC(2026, 5, 15)).certificate.raw.toString('hex');
const text = (characters: string) => Buffer.from(characters).toString('hex');

/** Hex of the sound one, and what takes its place. */
const DAMAGED: Readonly<Record<string, readonly [from: string, to: string]>> = {
  'a month that there is not': [text('202606'), text('202613')],
  'a day that there is not': [text('20260614'), text('20260631')],
  'an hour that there is not': [text('000000Z'), text('250000Z')],
  'a time without a zone': [text('000000Z'), text('0000000')],
  'a key usage of nine unused bits': ['03020780', '03020980'],
  'a key usage with unused bits that are set': ['03020780', '03020781'],
  'a purpose whose identifier ends early': ['2b06010505070302', '2b06010505070382'],
  'a point that is not on the curve': ['03420004', '03420004ff'],
};

t.test('reads a sound certificate', async (t) => {
  t.match(readCertificateFacts(Buffer.from(good, 'hex')), { version: 3, isCa: false, unknownCritical: [] });
});

for (const [what, [from, to]] of Object.entries(DAMAGED)) {
  t.test(`rejects ${what}`, async (t) => {
    t.ok(good.includes(from));
    const at = good.indexOf(from);
    const damaged = good.slice(0, at) + to + good.slice(at + to.length);
    t.throws(() => readCertificateFacts(Buffer.from(damaged, 'hex')), FormatError);
  });
}
