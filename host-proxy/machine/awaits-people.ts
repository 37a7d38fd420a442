/**
 * Whether an enclave waits for people, who bring a certificate for the TLS key of its boot, or sign a request for its keys: as long as its
 * own deadline says. Ended for that, it would come back with other keys, for which no signature holds, and wait for people again.
 */
import { CERTIFICATE_PHASE, type EnclaveStatus, KEY_SET_PHASE } from '../../wire/control/messages.ts';

const PHASES: ReadonlySet<string> = new Set([CERTIFICATE_PHASE, KEY_SET_PHASE]);

export function awaitsPeople({ status }: { readonly status?: EnclaveStatus | undefined }): boolean {
  return status?.state === 'booting' && PHASES.has(status.phase);
}
