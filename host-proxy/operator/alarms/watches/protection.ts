/** Whether the data is protected, and whether somebody tries to get at it. */
import type { Selected, Watch } from '../watch.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** One of these in so many minutes is enough. */
const grewWithin = (
  minutes: number,
  metric: string,
  labels: NonNullable<Selected['labels']>,
  by: readonly string[] = [],
): Watch['condition'] => ({ kind: 'grew', metric, labels, by, value: 0, withinMs: minutes * MINUTE_MS });

const alarmOf = (concern: readonly string[] | string) => grewWithin(10, 'alarms_total', { concern }, ['concern']);

export const PROTECTION_WATCHES: readonly Watch[] = [
  {
    alert: 'AcraEnclavePoisonRecord',
    severity: 'page',
    runbook: 'ACRA_EXIT_POISON_RECORD',
    summary: 'a poison record was read',
    description: 'Somebody copies the database. Treat it as a breach: who was connected, and what did they read?',
    condition: alarmOf('poison'),
    forMs: 0,
  },
  {
    alert: 'AcraEnclavePlaintext',
    severity: 'page',
    runbook: 'plaintext',
    summary: 'values that should be encrypted went to the database as they came',
    description:
      'acra-server in line could not encrypt a value and let it pass, or wrote a record that cannot be read.',
    condition: alarmOf(['plaintext', 'unread']),
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveUndetected',
    severity: 'page',
    runbook: 'undetected',
    summary: 'rows went to a client without the search for poison records',
    description: 'Who copies the database now is not noticed.',
    condition: alarmOf('undetected'),
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveUnexamined',
    severity: 'ticket',
    runbook: 'unexamined',
    summary: 'acra-server in line could not read a statement and passed it on',
    description: 'First find what sends DISCARD ALL, LISTEN and the like: they are such statements and harmless.',
    condition: alarmOf('unexamined'),
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveGuardReports',
    severity: 'page',
    runbook: 'guard-reports',
    summary: 'the guard only reports',
    description: 'guard.mode is report: statements that cannot be protected go to the database as they are.',
    condition: { kind: 'above', metric: 'guard_mode', labels: { mode: 'report' }, value: 0 },
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveStatementsRefused',
    severity: 'ticket',
    runbook: 'statements-refused',
    summary: 'the guard refused statements',
    description:
      'A client sends what cannot be protected: docs/refusals.md says for each reason what to write instead.',
    condition: grewWithin(60, 'guard_refusals_total', { outcome: 'refused' }, ['reason']),
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveRevokedCertificate',
    severity: 'page',
    runbook: 'revoked-certificate',
    summary: 'somebody uses a certificate that was called back',
    description: 'It was refused. Somebody still has its key.',
    condition: grewWithin(10, 'front_refused_total', { reason: 'revoked' }),
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveForeignLogin',
    severity: 'page',
    runbook: 'CHILD_TOKEN_DENIED',
    summary: 'a guard asked for a login of the database that is not its own',
    description: 'It got none. A guard never does that by itself: somebody may have taken one over.',
    condition: grewWithin(10, 'guard_login_tokens_total', { outcome: 'denied' }),
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveLoginsLimited',
    severity: 'ticket',
    runbook: 'CHILD_TOKEN_RATE',
    summary: 'a guard asked for more logins of the database than there can be',
    description:
      'Those beyond 200 a second got none. Find who connects that often; where nobody does, the guard itself asks.',
    condition: grewWithin(60, 'guard_login_tokens_total', { outcome: 'limited' }),
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveKmsProxyRefused',
    severity: 'ticket',
    runbook: 'kms-proxy-refused',
    summary: 'KMS refuses what programs ask through the KMS proxy',
    description: 'The key policy does not allow these measurements, this role or this encryption context.',
    condition: grewWithin(60, 'kms_proxy_requests_total', { outcome: 'refused-by-kms' }, ['action']),
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveCertificateEndsNow',
    severity: 'page',
    runbook: 'certificate-ends',
    summary: 'a certificate ends within three days, or has ended',
    description:
      'Clients, the database or KMS are refused from then on. Most certificates are measured: a new image is needed.',
    condition: { kind: 'ends-within', metric: 'certificate_expiry_timestamp_seconds', withinMs: 3 * DAY_MS },
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveCertificateEnds',
    severity: 'ticket',
    runbook: 'certificate-ends',
    summary: 'a certificate ends within 30 days',
    description: 'Most certificates are measured: a new one means a new image, and a key policy that allows it.',
    condition: { kind: 'ends-within', metric: 'certificate_expiry_timestamp_seconds', withinMs: 30 * DAY_MS },
    forMs: 0,
  },
];
