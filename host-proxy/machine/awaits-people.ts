/**
 * Whether an enclave waits for people: for a certificate for the TLS key of its boot, or for a key set (one that the parent has is brought at
 * once; without it somebody restores one, or holds a ceremony), or for operators who load their shares of it. As long as its own deadline says: ended for that, it would come back and
 * wait for people again.
 */
import {
  CERTIFICATE_PHASE,
  type EnclaveStatus,
  KEY_SET_AWAITED,
  KEY_SET_PHASE,
  KEY_SHARES_AWAITED,
} from '../../wire/control/messages.ts';

const AWAITED: ReadonlySet<string | null> = new Set([KEY_SET_AWAITED, KEY_SHARES_AWAITED]);

export function awaitsPeople({ status }: { readonly status?: EnclaveStatus | undefined }): boolean {
  if (status?.state !== 'booting') return false;
  return status.phase === CERTIFICATE_PHASE || (status.phase === KEY_SET_PHASE && AWAITED.has(status.errorCode));
}
