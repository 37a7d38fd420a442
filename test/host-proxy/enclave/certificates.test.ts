import t from 'tap';
import { certificatesOf } from '../../../host-proxy/enclave/certificates.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const sample = (certificate: string, days: number) => ({
  name: 'certificate_expiry_timestamp_seconds',
  labels: { certificate },
  value: (NOW_MS + days * DAY_MS) / 1000,
});

t.test('tells of each certificate whether it has ended, ends within 30 days, or neither', async (t) => {
  const samples = [sample('server', -1), sample('client-ca', 29), sample('database-ca', 31)];
  t.same(certificatesOf({ type: 'metrics', samples }, NOW_MS), [
    { certificate: 'server', endsMs: NOW_MS - DAY_MS, life: 'expired' },
    { certificate: 'client-ca', endsMs: NOW_MS + 29 * DAY_MS, life: 'ending' },
    { certificate: 'database-ca', endsMs: NOW_MS + 31 * DAY_MS, life: 'valid' },
  ]);
});

t.test(
  'tells nothing of other numbers, of names that no certificate has, or of an enclave that is silent',
  async (t) => {
    const samples = [{ name: 'supervisor_uptime_seconds', labels: {}, value: 1 }, sample('another', 1)];
    t.same(certificatesOf({ type: 'metrics', samples }, NOW_MS), []);
    t.same(certificatesOf(undefined, NOW_MS), []);
  },
);

t.test('tells nothing of an end that no calendar has, which the status page could not show', async (t) => {
  t.same(certificatesOf({ type: 'metrics', samples: [sample('server', 1e9), sample('server', 1e300)] }, NOW_MS), []);
});
