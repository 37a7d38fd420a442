/**
 * The certificate that the enclave makes for its own key. It is valid for a bounded time, and made anew when a tenth of that is left:
 * clients that hold the old one as their root then verify the enclave again, which they would have to do a little later anyway; sessions
 * go on. So no enclave ever shows a certificate that has ended.
 */
import { writePem } from '../../encoding/pem.ts';
import { type Named, selfSign, type TlsKeyPair } from '../../keys/tls/attested-key.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import type { ServerCertificate } from './server-certificate.ts';

const DAY_MS = 86_400_000;
const RENEWED_FOR_THE_LAST = 0.1;
/** The clock may be set meanwhile, and a timer has a longest time. */
const LOOK_MS = 3_600_000;

export interface SelfSignedOptions extends Named {
  /** The one that is shown now. */
  readonly key: () => TlsKeyPair;
  readonly days: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
}

export function showSelfSigned(options: SelfSignedOptions, shown: ServerCertificate, { clock, random }: Deps): void {
  shown.show(writePem('CERTIFICATE', selfSign(options.key(), options, clock.nowMs(), random)));
}

/** @throws the signal's reason */
export async function renewSelfSigned(
  options: SelfSignedOptions,
  shown: ServerCertificate,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const marginMs = options.days * DAY_MS * RENEWED_FOR_THE_LAST;
  for (;;) {
    await deps.clock.sleep(LOOK_MS, signal);
    const endsMs = shown.end?.endsMs ?? 0;
    if (deps.clock.nowMs() >= endsMs - marginMs) showSelfSigned(options, shown, deps);
  }
}
