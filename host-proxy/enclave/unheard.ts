/** Why nothing is heard from the enclave, as far as the parent can tell. */
import type { EnclaveStatus } from '../../wire/control/messages.ts';
import type { MachineStatus, Reason } from '../operator/host-status.ts';

/** Stages in which no machine runs. */
const WITHOUT_MACHINE: ReadonlySet<MachineStatus['stage']> = new Set(['waiting', 'ended']);

/**
 * @param last what the enclave said of itself before; the state that it was in is no longer true, so it is told as the past
 * @param machine where this process runs it: the end of a machine explains its silence
 */
export function unheard(last: EnclaveStatus | undefined, machine: MachineStatus | null): Reason {
  const end = machine !== null && WITHOUT_MACHINE.has(machine.stage) ? machine.lastEnd : null;
  if (end !== null && end.code !== null) return { code: end.code, message: end.reason };
  const code = 'HOST_ENCLAVE_UNHEARD';
  if (last === undefined) return { code, message: 'the enclave has not reported yet' };
  const words = [`${last.state}, phase ${last.phase}`, last.errorCode, last.detail].filter((part) => part);
  return { code, message: `the enclave is silent; the last that it said was: ${words.join(': ')}` };
}
