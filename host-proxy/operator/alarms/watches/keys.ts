/** The master key, its lease, and the key sets that this instance keeps. */
import type { Watch } from '../watch.ts';

const MINUTE_MS = 60_000;
const LEASE_SECONDS = 3_600;

export const KEY_WATCHES: readonly Watch[] = [
  {
    alert: 'AcraEnclaveLeaseEnds',
    severity: 'page',
    runbook: 'LEASE_EXPIRED',
    summary: 'KMS has not granted the master key for an hour',
    description: 'The service ends at lease.maxAgeMs (by default four hours after the last grant).',
    condition: { kind: 'above', metric: 'lease_age_seconds', value: LEASE_SECONDS },
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveKeysNotTaken',
    severity: 'page',
    runbook: 'HOST_KEYS_NOT_TAKEN',
    summary: 'the enclave does not work with the newest key set on disk',
    description: 'It serves on with the keys that it has, or waits. Status and log name the code.',
    condition: { kind: 'above', metric: 'kept_keys_in_trouble', value: 0 },
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveKeysRefused',
    severity: 'page',
    runbook: 'keys-refused',
    summary: 'the enclave refused a key set',
    description: 'Somebody brought a key set that was not made for it, was changed, or is older.',
    condition: { kind: 'grew', metric: 'kept_key_set_refusals_total', by: [], value: 0, withinMs: 10 * MINUTE_MS },
    forMs: 0,
  },
  {
    alert: 'AcraEnclaveKeysOlder',
    severity: 'page',
    runbook: 'keys-older',
    summary: 'the disk holds an older key set than an enclave has worked with',
    description: 'The newest key set was lost from the disk: restore it before the enclave ends.',
    condition: {
      kind: 'exceeds',
      metric: 'kept_key_set_generation',
      labels: { of: 'last_taken' },
      factor: 1,
      other: { metric: 'kept_key_set_generation', labels: { of: 'newest' } },
    },
    forMs: MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveKeySetsDamaged',
    severity: 'ticket',
    runbook: 'HOST_KEYS_DAMAGED',
    summary: 'a folder of the kept keys holds no whole key set',
    description: 'Restore it from a copy, or take it away.',
    condition: { kind: 'above', metric: 'kept_key_sets', labels: { state: 'damaged' }, value: 0 },
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveKeysAuditBroken',
    severity: 'page',
    runbook: 'keys-audit-broken',
    summary: 'the audit log of key operations is no whole chain',
    description: 'Somebody changed or cut it.',
    condition: { kind: 'above', metric: 'kept_keys_audit_broken', value: 0 },
    forMs: 5 * MINUTE_MS,
  },
  {
    alert: 'AcraEnclaveKeyOperationsRefused',
    severity: 'ticket',
    runbook: 'key-operations-refused',
    summary: 'the enclave refused an operation on keys',
    description:
      'Records keys.refused say which, and why: a request that was not signed by enough operators, or an old one.',
    condition: {
      kind: 'grew',
      metric: 'key_operations_total',
      labels: { outcome: 'refused' },
      by: ['operation'],
      value: 0,
      withinMs: 60 * MINUTE_MS,
    },
    forMs: 0,
  },
];
