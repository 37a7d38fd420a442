import t from 'tap';
import { unheard } from '../../../host-proxy/enclave/unheard.ts';
import type { HostStatus, MachineStatus } from '../../../host-proxy/operator/host-status.ts';
import { describeProgress } from '../../../host-proxy/operator/host-status.ts';

const SERVED = { state: 'serving', phase: 'serve', detail: null, errorCode: null, sinceMs: 0 } as const;
const machine = (stage: MachineStatus['stage'], lastEnd: MachineStatus['lastEnd'] = null) =>
  ({ stage, lastEnd }) as MachineStatus;

t.test('gives silence a code, whatever was heard before (HOST_ENCLAVE_UNHEARD)', async (t) => {
  t.match(unheard(undefined, null), { code: 'HOST_ENCLAVE_UNHEARD', message: 'the enclave has not reported yet' });
  t.match(unheard(SERVED, null), {
    code: 'HOST_ENCLAVE_UNHEARD',
    message: /last that it said was: serving, phase serve$/,
  });
  t.match(unheard(SERVED, machine('serving')), { code: 'HOST_ENCLAVE_UNHEARD' });
});

t.test('keeps the last words of one that had not been well, as the past', async (t) => {
  const last = { ...SERVED, state: 'degraded', errorCode: 'BOOT_DATABASE_UNREACHABLE', detail: 'no route' } as const;
  t.match(unheard(last, null), {
    code: 'HOST_ENCLAVE_UNHEARD',
    message: /was: degraded, phase serve: BOOT_DATABASE_UNREACHABLE: no route$/,
  });
});

t.test('tells the end of its machine where that explains the silence', async (t) => {
  const lastEnd = { atMs: 1, code: 'ENCLAVE_DIED', reason: 'QEMU ended', reported: null };
  t.same(unheard(SERVED, machine('waiting', lastEnd)), { code: 'ENCLAVE_DIED', message: 'QEMU ended' });
  t.match(
    unheard(undefined, machine('booting', lastEnd)),
    { code: 'HOST_ENCLAVE_UNHEARD' },
    'the end of an earlier one',
  );
});

t.test('does not tell whoever waits for a start that nothing was heard yet', async (t) => {
  const status = { state: 'unknown', enclave: null, shedding: { active: false }, reason: unheard(undefined, null) };
  t.equal(describeProgress({ ...status, machine: machine('starting') } as HostStatus), 'starting');
  t.match(describeProgress({ ...status, machine: null } as HostStatus), 'HOST_ENCLAVE_UNHEARD');
});
