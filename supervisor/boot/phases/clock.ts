/**
 * The wall clock comes from the hypervisor, which the parent cannot steer: from its clock device where the kernel has one,
 * else from the timestamp in an attestation document. Where both are there, they must agree.
 */
import { readStatedDocument } from '../../../attestation/document/stated-document.ts';
import { SupervisorError } from '../../errors.ts';
import type { Phase } from '../phase.ts';
import type { NsmReady } from './nsm.ts';

/** No enclave of ours booted before this was written: 2026-01-01. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
/** Making a document takes well under a second. */
const MAX_DISAGREEMENT_MS = 5_000;

export const clockPhase: Phase<NsmReady, { readonly clockOffsetMs: number }> = {
  name: 'clock',
  deadlineMs: () => 10_000,
  async run({ nsm }, { platform, clock, logger }) {
    const statedMs = readStatedDocument(await nsm.attest({})).payload.timestampMs;
    const deviceMs = platform.hypervisorTimeMs();
    const timeMs = deviceMs ?? statedMs;
    requirePlausible(timeMs, statedMs);
    const clockOffsetMs = Math.round(timeMs - clock.nowMs());
    await platform.setWallClock(timeMs);
    logger.log('info', 'clock.set', { clockOffsetMs, source: deviceMs === undefined ? 'nsm' : 'ptp' });
    return { clockOffsetMs };
  },
};

function requirePlausible(timeMs: number, statedMs: number): void {
  if (timeMs < EARLIEST_MS) {
    throw new SupervisorError('BOOT_CLOCK_UNTRUSTED', 'the hypervisor states an implausible time', {
      found: `${timeMs} ms since the epoch`,
      allowed: `at least ${EARLIEST_MS}`,
    });
  }
  if (Math.abs(timeMs - statedMs) > MAX_DISAGREEMENT_MS) {
    throw new SupervisorError('BOOT_CLOCK_UNTRUSTED', "the hypervisor's clock and its security module disagree", {
      found: `${Math.round(timeMs - statedMs)} ms apart`,
      allowed: `${MAX_DISAGREEMENT_MS} ms`,
    });
  }
}
