/**
 * Whether the parent's clock is right: against NTP as the kernel knows it, and against the Date of KMS. The enclave has a
 * clock of its own; this one dates logs, and certificates are checked by it here.
 * Sources: timedatectl(1) (NTPSynchronized is STA_UNSYNC of adjtimex(2)); IAM user guide, "Signature Version 4": five minutes.
 */
import { isIP } from 'node:net';
import { Deadline } from '../../../runtime/deadline.ts';
import type { Check, CheckContext } from '../check.ts';
import { failure, ok, skipped, warning } from '../check.ts';

const MAX_SKEW_MS = 5 * 60 * 1000;
/** The check `kms` tells when it is not reached; this one goes on without it. */
const KMS_TIMEOUT_MS = 3_000;
const ADVICE = 'Run chronyd with `server 169.254.169.123 prefer iburst` (the Amazon Time Sync Service).';

/** How far the clock is ahead of KMS, or undefined when KMS does not tell. */
async function skewMs({ config, system, signal }: CheckContext): Promise<number | undefined> {
  const { connect } = config.kms ?? {};
  if (connect === undefined || connect.kind !== 'tcp' || isIP(connect.host) !== 0) return undefined;
  using deadline = new Deadline(system.clock, KMS_TIMEOUT_MS, signal);
  const date = await system.dateOverTls(connect, deadline.signal).catch(() => undefined);
  const timeMs = Date.parse(date ?? '');
  return Number.isNaN(timeMs) ? undefined : system.clock.nowMs() - timeMs;
}

export const clockCheck: Check = {
  name: 'clock',
  checked: 'the clock of this instance',
  async examine(context) {
    const skew = await skewMs(context);
    const found =
      skew === undefined ? '' : `${Math.round(Math.abs(skew) / 1_000)} s ${skew < 0 ? 'behind' : 'ahead of'} KMS`;
    if (skew !== undefined && Math.abs(skew) > MAX_SKEW_MS) return failure(found, ADVICE);
    const answer = await context.system.run(
      'timedatectl',
      ['show', '--property=NTPSynchronized', '--value'],
      context.signal,
    );
    const synchronised = answer?.code === 0 ? answer.stdout.trim() : undefined;
    if (synchronised === 'no') return warning(['not synchronised', found].filter(Boolean).join(', '), ADVICE);
    if (synchronised === 'yes') return ok(['synchronised', found].filter(Boolean).join(', '));
    return found === '' ? skipped('neither timedatectl nor KMS tells') : ok(found);
  },
};
