/**
 * Seeds the kernel's pool from the NSM, and from that Node's own generator, before any key or TLS object exists. Other
 * processes and threads start later.
 */
import { makeRecipientKey, type RecipientKey } from '../../../kms/recipient.ts';
import { reseedOpenSsl } from '../../../system/libc/machine-calls.ts';
import type { Phase } from '../phase.ts';
import type { NsmReady } from './nsm.ts';

const SEED_BYTES = 512;

export interface EntropyReady {
  readonly entropyBytes: number;
  /**
   * For the first question to KMS, which brings randomness: it takes 50 ms of another core, while the next phases wait for the parent. Keys
   * that open more than that are made when it has been mixed in.
   */
  readonly firstRecipientKey: Promise<RecipientKey>;
}

export const entropyPhase: Phase<NsmReady, EntropyReady> = {
  name: 'entropy',
  deadlineMs: () => 10_000,
  async run({ nsm }, { platform, logger, signal }) {
    let entropyBytes = 0;
    while (entropyBytes < SEED_BYTES) {
      signal.throwIfAborted();
      const bytes = await nsm.random();
      await platform.addEntropy(bytes);
      entropyBytes += bytes.length;
      bytes.fill(0);
    }
    reseedOpenSsl();
    logger.log('info', 'entropy.seeded', { entropyBytes });
    const firstRecipientKey = makeRecipientKey();
    firstRecipientKey.catch(() => undefined);
    return { entropyBytes, firstRecipientKey };
  },
};
