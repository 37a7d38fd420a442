/** Whether columns may be tokenized, as enclave.yaml says: only acra-server in line has tokens, and only a store outlives it. */
import type { EnclaveConfig } from '../../config/enclave.ts';
import type { TokenUse } from './rules.ts';

export function tokenUseOf({ ingress, acra }: Pick<EnclaveConfig, 'ingress' | 'acra'>): TokenUse {
  return ingress.tls === 'passthrough' && acra.tokens !== undefined ? 'kept' : 'refused';
}
