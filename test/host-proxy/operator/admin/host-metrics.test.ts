/** Why applications cannot connect, as a label. */
import t from 'tap';
import { hostSamples } from '../../../../host-proxy/operator/admin/host-metrics.ts';
import type { HostStatus } from '../../../../host-proxy/operator/host-status.ts';
import { FULL } from '../support/statuses.ts';

const { machine } = FULL;
const failed = { code: 'ENCLAVE_FAILED', message: 'it failed' };
const lastEnd = { atMs: 0, code: 'ENCLAVE_FAILED', reason: 'it failed', reported: null };
const reported = { code: 'KMS_ACCESS_DENIED', message: 'no' };

const told: readonly (readonly [what: string, status: Partial<HostStatus>, code: string | undefined])[] = [
  ['nothing while ready', { ready: true, reason: failed }, undefined],
  ['nothing without a reason', { ready: false, reason: null }, undefined],
  ['nothing without a code', { ready: false, reason: { code: null, message: 'no code' } }, undefined],
  ['the code', { ready: false, reason: failed, machine: null }, 'ENCLAVE_FAILED'],
  ['other for what is no code', { ready: false, reason: { code: 'evil"} 1', message: '' } }, 'other'],
  [
    'what an enclave that ended had said',
    { ready: false, reason: failed, machine: machine && { ...machine, lastEnd: { ...lastEnd, reported } } },
    'KMS_ACCESS_DENIED',
  ],
];

for (const [what, status, code] of told)
  t.test(`tells of why applications cannot connect ${what}`, async (t) => {
    const samples = hostSamples({ ...FULL, ...status }, 0).filter(({ name }) => name === 'reason');
    t.same(samples, code === undefined ? [] : [{ name: 'reason', labels: { code }, value: 1 }]);
  });

t.test('counts the descriptors that it holds, below those that it may hold', async (t) => {
  const samples = new Map(hostSamples(FULL, 0).map(({ name, value }) => [name, value]));
  const open = samples.get('host_proxy_open_descriptors') ?? 0;
  t.ok(open > 2 && open < (samples.get('host_proxy_descriptor_limit') ?? 0));
});
