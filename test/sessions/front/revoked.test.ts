/** Certificates on the measured list are refused, whoever holds them, and nobody else's are. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { GOOD, type Made, makeCertificate } from '../../keys/support/certificate-maker.ts';
import { Arrivals, type Identity, lastWords } from './support/arrivals.ts';

const keyHash = ({ certificate }: Made) =>
  createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

/** Below an intermediate CA. */
function issued({ authority, clock }: Arrivals): { readonly identity: Identity; readonly middle: Made } {
  const nowMs = clock.nowMs();
  const middle = makeCertificate({ ...GOOD.authority, subject: 'middle CA', serial: '77' }, nowMs, authority);
  const leaf = makeCertificate({ ...GOOD.client, serial: '05' }, nowMs, middle);
  return { middle, identity: { ...leaf, chain: [middle] } };
}

for (const [what, entryOf] of [
  ['by its serial number', () => ({ serial: 'A1B' })],
  ['by its key', ({ client }: Arrivals) => ({ key: keyHash(client) })],
] as const) {
  t.test(`refuses a certificate that is on the list ${what} (28000), in words`, async (t) => {
    const arrivals = new Arrivals(t);
    await arrivals.start({ revoked: [{ serial: 'FF' }, entryOf(arrivals)] });
    t.match(await lastWords(await arrivals.logIn('198.51.100.7')), /28000.*the client certificate is revoked/s);
    t.match((await arrivals.nextCounts()).refused, { revoked: 1, certificate: 0 });
    t.same(
      arrivals.told.filter(({ type }) => type === 'guard-wanted'),
      [],
      'nothing was begun for it',
    );
    const other = makeCertificate({ ...GOOD.client, serial: '0a1c' }, arrivals.clock.nowMs(), arrivals.authority);
    await arrivals.logIn('198.51.100.7', other);
    await arrivals.untilSessions(1);
  });
}

t.test('refuses what a revoked issuer has issued, and takes what others have', async (t) => {
  const arrivals = new Arrivals(t);
  const { identity, middle } = issued(arrivals);
  await arrivals.start({ revoked: [{ key: keyHash(middle) }] });
  t.match(await lastWords(await arrivals.logIn(undefined, identity)), /28000.*revoked/s);
  await arrivals.logIn(undefined);
  await arrivals.untilSessions(1);
});

t.test('takes a chain of which nothing is on the list', async (t) => {
  const arrivals = new Arrivals(t);
  const { identity } = issued(arrivals);
  await arrivals.start({ revoked: [{ serial: '7' }, { key: '0'.repeat(64) }] });
  await arrivals.logIn(undefined, identity);
  await arrivals.untilSessions(1);
});

t.test('says of a certificate that is revoked and has expired that it is revoked', async (t) => {
  const arrivals = new Arrivals(t);
  const old = makeCertificate({ ...GOOD.client, toDays: -0.5 }, arrivals.clock.nowMs(), arrivals.authority);
  await arrivals.start({ revoked: [{ key: keyHash(old) }] });
  t.match(await lastWords(await arrivals.logIn(undefined, old)), /28000.*revoked/s);
});
