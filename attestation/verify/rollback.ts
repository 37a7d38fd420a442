/**
 * Whether an enclave can be made to run with older keys than those that its operators mean. An enclave has no memory: what keeps an older key
 * set out is its image, or a digest in its measured configuration; or KMS, whose key policy no attestation shows.
 * Specification: docs/specs/key-sets.md; decision 25.
 */
import { AttestationError } from '../errors.ts';
import type { RuntimeStatement } from '../runtime/statement.ts';
import type { CheckedDemands } from './demands.ts';

type Demanded = Pick<CheckedDemands, 'pinnedKeys' | 'allow'>;

const REASONS = {
  none: 'rollback not excluded: the parent instance may bring any key set that it ever had',
  policy:
    'rollback not excluded by anything that is seen here: the key policy of KMS has to demand the generation of the key set, and no attestation shows that policy',
} as const;

/** @returns why an older key set may be in use; undefined: none can, or it was allowed */
function openRollback(statement: RuntimeStatement, { allow }: Demanded): string | undefined {
  if (statement.workload === 'app') return undefined;
  const { keys } = statement;
  if (keys.source === 'image' || (keys.pin !== 'none' && keys.pin !== 'policy')) return undefined;
  return keys.pin === 'policy' && allow.policyPin ? undefined : REASONS[keys.pin];
}

function describe(statement: RuntimeStatement): string {
  if (statement.workload === 'app') return 'workload app: there are no key sets';
  const { keys } = statement;
  if (keys.source === 'image') return 'keys.source image';
  return keys.pin === 'policy' || keys.pin === 'none' ? `keys.pin ${keys.pin}` : `keys.pin, key set ${keys.pin}`;
}

/** @returns what is told where nobody demanded more; undefined: it is to be judged */
export function toldRollback(statement: RuntimeStatement, demanded: Demanded): string | undefined {
  const reason = demanded.pinnedKeys ? undefined : openRollback(statement, demanded);
  return reason === undefined ? undefined : `${reason} (${describe(statement)})`;
}

/** @throws AttestationError ATTESTATION_KEYS_UNPINNED */
export function checkRollback(statement: RuntimeStatement, demanded: Demanded): string {
  const found = describe(statement);
  const reason = openRollback(statement, demanded);
  if (reason === undefined) return found === 'keys.pin policy' ? `${found}, which was allowed` : found;
  throw new AttestationError('ATTESTATION_KEYS_UNPINNED', reason, {
    found,
    allowed: 'keys.source image, or the SHA-256 of a key set as keys.pin',
  });
}
