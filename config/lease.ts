/** Section `lease` of `enclave.yaml`: how long the enclave goes on with a key that KMS would not hand out any more. */
import { z } from 'zod';
import { durationMs } from './fields.ts';

const MINUTE_MS = 60_000;

export const leaseSection = z
  .strictObject({
    renewEveryMs: durationMs(15 * MINUTE_MS).describe(
      'how often KMS is asked for the master key again; a refusal ends the service in order',
    ),
    maxAgeMs: durationMs(240 * MINUTE_MS).describe(
      'how long the service goes on when KMS cannot be asked, or does not answer',
    ),
  })
  .refine(({ renewEveryMs, maxAgeMs }) => renewEveryMs < maxAgeMs, {
    path: ['maxAgeMs'],
    error: 'must be longer than renewEveryMs, or the service would end between two questions',
  })
  .prefault({});
