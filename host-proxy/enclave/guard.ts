/** What the guard in the enclave is configured to do, as its metrics tell: for the status, where people look first. */
import { GUARD_MODES, GUARD_RELATIONS } from '../../config/guard.ts';
import type { HostStatus } from '../operator/host-status.ts';
import type { EnclaveMetrics } from './view.ts';

/** Null while nothing is heard of the enclave, and where it has no guard. */
export function guardOf(metrics: EnclaveMetrics | undefined): HostStatus['guard'] {
  const isSet = (metric: string, label: string, value: string) =>
    metrics?.samples.some(({ name, labels, value: is }) => name === metric && labels[label] === value && is === 1);
  const mode = GUARD_MODES.find((each) => isSet('guard_mode', 'mode', each));
  const relations = GUARD_RELATIONS.find((each) => isSet('guard_relations', 'relations', each));
  const migrations = (metrics?.samples ?? [])
    .filter(({ name }) => name === 'guard_migrations')
    .map(({ labels: { table = '', column = '' } }) => ({ table, column }));
  return mode === undefined || relations === undefined ? null : { mode, relations, migrations };
}
