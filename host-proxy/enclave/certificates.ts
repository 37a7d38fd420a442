/** When the enclave's certificates end, as its metrics tell: for the status, where people look first. */
import type { CertificateRole } from '../../wire/certificate-end.ts';
import { CERTIFICATE_ROLES, lifeOf } from '../../wire/certificate-end.ts';
import { MAX_TIME_MS } from '../../wire/control/messages.ts';
import type { EnclaveMetrics } from './view.ts';

export interface CertificateStatus {
  readonly certificate: CertificateRole;
  /** Milliseconds since the epoch. */
  readonly endsMs: number;
  /** `ending`: within 30 days. */
  readonly life: ReturnType<typeof lifeOf>;
}

const METRIC = 'certificate_expiry_timestamp_seconds';
const MS_PER_SECOND = 1_000;

const isRole = (name: string | undefined): name is CertificateRole => CERTIFICATE_ROLES.some((role) => role === name);

/** None while nothing is heard of the enclave. */
export function certificatesOf(metrics: EnclaveMetrics | undefined, nowMs: number): CertificateStatus[] {
  return (metrics?.samples ?? []).flatMap(({ name, labels, value }) => {
    const certificate = labels['certificate'];
    const endsMs = Math.round(value * MS_PER_SECOND);
    if (name !== METRIC || !isRole(certificate) || Math.abs(endsMs) > MAX_TIME_MS) return [];
    return { certificate, endsMs, life: lifeOf({ endsMs }, nowMs) };
  });
}
