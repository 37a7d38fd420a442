/**
 * Whether an enclave waits for people, who bring a certificate for the TLS key of its boot: as long as its own deadline says. Ended for
 * that, it would come back with another key, and wait for people again.
 */
import { CERTIFICATE_PHASE, type EnclaveStatus } from '../../wire/control/messages.ts';

export function awaitsPeople({ status }: { readonly status?: EnclaveStatus | undefined }): boolean {
  return status?.state === 'booting' && status.phase === CERTIFICATE_PHASE;
}
