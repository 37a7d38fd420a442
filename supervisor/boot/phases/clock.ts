/**
 * The wall clock comes from the timestamp in an NSM attestation document, which the parent cannot steer. (The PTP clock
 * of the hypervisor, where the kernel has it, belongs to the platform's setWallClock.)
 */
import { parseAttestationDocument } from '../../../attestation/document/parse.ts';
import { SupervisorError } from '../../errors.ts';
import type { Phase } from '../phase.ts';
import type { NsmReady } from './nsm.ts';

/** No enclave of ours booted before this was written: 2026-01-01. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);

export const clockPhase: Phase<NsmReady, { readonly clockOffsetMs: number }> = {
  name: 'clock',
  deadlineMs: () => 10_000,
  async run({ nsm }, { platform, clock, logger }) {
    const { timestampMs } = parseAttestationDocument(await nsm.attest({})).payload;
    if (timestampMs < EARLIEST_MS) {
      throw new SupervisorError('BOOT_CLOCK_UNTRUSTED', 'the NSM states an implausible time', {
        found: `${timestampMs} ms since the epoch`,
        allowed: `at least ${EARLIEST_MS}`,
      });
    }
    const clockOffsetMs = Math.round(timestampMs - clock.nowMs());
    await platform.setWallClock(timestampMs);
    logger.log('info', 'clock.set', { clockOffsetMs });
    return { clockOffsetMs };
  },
};
