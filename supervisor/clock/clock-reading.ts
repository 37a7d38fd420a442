/**
 * How far the hypervisor's clock is from the enclave's: its clock device where the kernel has one, else the timestamp of a new
 * attestation document, as at boot (boot/phases/clock.ts). Reading takes time, a document up to seconds; a time that lies between
 * before and after is no difference.
 */
import { readStatedDocument } from '../../attestation/document/stated-document.ts';
import type { NsmProvider } from '../../attestation/nsm/provider.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Platform } from '../platform.ts';

export interface ClockReading {
  readonly source: 'ptp' | 'nsm';
  /** Above 0: the hypervisor's is ahead. */
  readonly driftMs: number;
  /** What the hypervisor's clock said. */
  readonly timeMs: number;
}

export interface ReadableClocks {
  readonly platform: Pick<Platform, 'hypervisorTimeMs'>;
  readonly nsm: Pick<NsmProvider, 'attest'>;
  readonly clock: Clock;
}

/** @throws NsmError, AttestationError; what the device's call throws */
export async function readClocks({ platform, nsm, clock }: ReadableClocks): Promise<ClockReading> {
  const beforeMs = clock.nowMs();
  const deviceMs = platform.hypervisorTimeMs();
  const timeMs = deviceMs ?? readStatedDocument(await nsm.attest({})).payload.timestampMs;
  const afterMs = clock.nowMs();
  const driftMs = timeMs < beforeMs ? timeMs - beforeMs : Math.max(0, timeMs - afterMs);
  return { source: deviceMs === undefined ? 'nsm' : 'ptp', driftMs, timeMs };
}
