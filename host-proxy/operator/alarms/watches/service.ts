/** Whether applications can connect, and what keeps them from it. */
import { AWAITING_CODES, FAILED_CODES, OUTAGE_CODES, REFUSED_CODES } from '../codes.ts';
import type { Watch } from '../watch.ts';

const MINUTE_MS = 60_000;

const reason = (codes: readonly string[]): Watch['condition'] => ({
  kind: 'above',
  metric: 'reason',
  labels: { code: codes },
  value: 0,
});
const ofCode = { label: 'code' } as const;

export const SERVICE_WATCHES: readonly Watch[] = [
  {
    alert: 'AcraEnclaveNotReady',
    severity: 'page',
    runbook: 'not-ready',
    summary: 'applications cannot connect',
    description:
      'The enclave does not serve, or its public port is closed. `acra-enclave status` says why, and what to do.',
    condition: { kind: 'below', metric: 'ready', value: 1 },
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveRefused',
    severity: 'page',
    runbook: ofCode,
    summary: 'the enclave is refused what it needs, or is shown what must not be',
    description: 'Waiting does not help, and it may be an attack: the code says who refuses.',
    condition: reason(REFUSED_CODES),
    forMs: MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveAwaitsPeople',
    severity: 'page',
    runbook: ofCode,
    summary: 'the enclave waits for something that people must do',
    description: 'A certificate, a key set or shares of a key are missing; the boot goes on when they are brought.',
    condition: reason(AWAITING_CODES),
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveOutage',
    severity: 'page',
    runbook: ofCode,
    summary: 'something that the enclave needs is away',
    description:
      'The database, KMS, credentials, the clock or a program in the enclave: the code says which. It is tried again.',
    condition: reason(OUTAGE_CODES),
    forMs: 3 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveFailed',
    severity: 'page',
    runbook: ofCode,
    summary: 'the enclave has failed',
    description: 'It ended, is closed to applications, or does not boot. The code says why.',
    condition: reason(FAILED_CODES),
    forMs: MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveLost',
    severity: 'page',
    runbook: 'HOST_ENCLAVE_UNHEARD',
    summary: 'the enclave has fallen silent',
    description: 'It had spoken, and nothing is heard of it any more. Its sessions have ended.',
    condition: { kind: 'above', metric: 'state', labels: { state: 'lost' }, value: 0 },
    forMs: MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveBootFails',
    severity: 'page',
    runbook: 'boot-fails',
    summary: 'the enclave was started three times or more within 15 minutes',
    description: 'It ends again and again. `acra-enclave status` tells the last end, and what the enclave said before.',
    condition: { kind: 'grew', metric: 'machine_restarts_total', by: [], value: 2, withinMs: 15 * MINUTE_MS },
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveMachineRestarted',
    severity: 'ticket',
    runbook: 'machine-restarted',
    summary: 'the enclave was started again',
    description: 'It serves again, and its sessions were lost. Find out why it ended.',
    condition: { kind: 'grew', metric: 'machine_restarts_total', by: [], value: 0, withinMs: 60 * MINUTE_MS },
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveProgramRestarts',
    severity: 'ticket',
    runbook: 'program-restarts',
    summary: 'a program in the enclave was started again more than three times within 15 minutes',
    description: 'acra-server or the guard of an identity, or the front, ends again and again: see its log records.',
    condition: { kind: 'grew', metric: 'child_restarts_total', by: ['child'], value: 3, withinMs: 15 * MINUTE_MS },
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveProgramUnhealthy',
    severity: 'page',
    runbook: 'program-unhealthy',
    summary: 'a program in the enclave does not answer',
    description: 'The clients of that identity, or of all where it is the front, are not served.',
    condition: { kind: 'below', metric: 'child_healthy', value: 1 },
    forMs: 2 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveSheds',
    severity: 'page',
    runbook: 'sheds',
    summary: 'the public ports shed connections',
    description:
      'A limit is reached, or silent connections make room for others. Sessions of clients that speak go on.',
    condition: { kind: 'above', metric: 'ingress_shedding', value: 0 },
    forMs: 5 * MINUTE_MS,
  },
];
