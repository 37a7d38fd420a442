/** Sections of `enclave.yaml` that mean the same whatever the enclave runs: how it is supervised, probed and seeded. */
import { z } from 'zod';
import { count, durationMs } from './fields.ts';

export const enclaveName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'must be lower-case letters, digits and dashes' });

export const imdsSection = z.strictObject({ requestTimeoutMs: durationMs(5_000) }).prefault({});

export const entropySection = z
  .strictObject({
    kms: z
      .enum(['required', 'optional', 'off'])
      .optional()
      .describe(
        'randomness from KMS (GenerateRandom) beside the security module’s; optional: one attempt, a failure is a warning. Default: required; without section kms: off',
      ),
  })
  .prefault({});

export type EntropySection = z.output<typeof entropySection>;

export const restartSection = z
  .strictObject({
    minMs: durationMs(100).describe(
      'the wait before the second restart within breakerWindowMs; the first comes at once, each further one waits twice as long …',
    ),
    maxMs: durationMs(5_000).describe('… up to this'),
    breakerExits: count(10, 1000).describe('this many unexpected exits …'),
    breakerWindowMs: durationMs(120_000).describe('… within this time open the breaker: health red …'),
    breakerRetryMs: durationMs(60_000).describe(
      '… and one try after each such wait, until one lives for breakerWindowMs',
    ),
    stopGraceMs: durationMs(10_000).describe('between SIGTERM and SIGKILL'),
    drainMs: durationMs(10_000).describe('how long open sessions may finish when the supervisor stops'),
  })
  .prefault({});

export const healthSection = z
  .strictObject({
    probeIntervalMs: durationMs(10_000),
    probeTimeoutMs: durationMs(3_000),
    clockCheckMs: durationMs(60_000).describe("how often the wall clock is compared with the hypervisor's"),
    maxClockJumpMs: durationMs(60_000).describe(
      "a difference up to this is corrected; the hypervisor's clock is not believed beyond it, and the enclave is degraded",
    ),
    metricsIntervalMs: durationMs(5_000).describe('how often the enclave tells its numbers'),
    statusIntervalMs: z
      .int()
      .optional()
      .refine((value) => value === undefined, { error: 'is now called metricsIntervalMs, which is what it sets' }),
  })
  .prefault({});

/** What of either workload's configuration tells whether KMS gives randomness. */
export interface KmsEntropyConfig {
  readonly entropy: EntropySection;
  readonly kms?: { readonly requestTimeoutMs: number } | undefined;
  readonly kmsProxy?: { readonly requestTimeoutMs: number } | undefined;
}

/** `entropy.kms`, or what it is when it is not stated: an application's role may allow no GenerateRandom. */
export function kmsEntropyOf({ entropy, kms, kmsProxy }: KmsEntropyConfig): 'required' | 'optional' | 'off' {
  if (entropy.kms !== undefined) return entropy.kms;
  if (kms !== undefined) return 'required';
  return kmsProxy === undefined ? 'off' : 'optional';
}
