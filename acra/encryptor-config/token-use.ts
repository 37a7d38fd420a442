/** Whether columns may be tokenized, as enclave.yaml says: only what acra-server keeps elsewhere outlives it. */
import type { EnclaveConfig } from '../../config/enclave.ts';
import type { TokenUse } from './rules.ts';

export function tokenUseOf({ acra }: Pick<EnclaveConfig, 'acra'>): TokenUse {
  return acra.tokens !== undefined ? 'kept' : 'refused';
}
