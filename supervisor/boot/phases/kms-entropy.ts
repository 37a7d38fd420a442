/**
 * A second source of randomness, apart from the machine: KMS GenerateRandom, answered to a key of this enclave only. Should
 * the security module's generator be weak or in somebody's hand, keys made from here on are still not guessable; mixing cannot
 * make the pool worse. It comes after the credentials, which it needs, and before every key that outlives the boot.
 * Specification: nitro-formats 3.7; random(4).
 */
import { type KmsEntropyConfig, kmsEntropyOf } from '../../../config/supervision.ts';
import type { AttestedKms } from '../../../kms/client.ts';
import { KmsError } from '../../../kms/errors.ts';
import { describeError, errorCode } from '../../../runtime/errors.ts';
import { reseedOpenSsl } from '../../../system/libc/machine-calls.ts';
import type { AnyKmsNeeds } from '../attested-kms.ts';
import { askKms } from '../attested-kms.ts';
import type { Phase, PhaseContext } from '../phase.ts';
import type { EntropyReady } from './entropy.ts';

const SEED_BYTES = 512;
/** An attempt that is not repeated must end by its own time-out, not by the phase's deadline, which would fail the boot. */
const RESERVE_MS = 5_000;

/** GenerateRandom concerns no key, so no key policy can allow it. Source: KMS API reference, "Required permissions". */
const ALLOW =
  'Give the instance’s role an IAM policy that allows kms:GenerateRandom on Resource "*" (key policies do not cover it; docs/kms.md has one), or set entropy.kms in enclave.yaml to optional or off.';

type Needs = AnyKmsNeeds &
  Pick<EntropyReady, 'firstRecipientKey'> & {
    readonly config: KmsEntropyConfig & { readonly deadlines: { readonly kmsEntropyMs: number } };
  };

export const kmsEntropyPhase: Phase<Needs, { readonly kmsEntropyBytes: number }> = {
  name: 'kms-entropy',
  deadlineMs: ({ config }) =>
    kmsEntropyOf(config) === 'required'
      ? config.deadlines.kmsEntropyMs
      : ((config.kms ?? config.kmsProxy)?.requestTimeoutMs ?? 0) + RESERVE_MS,
  async run(have, context) {
    const mode = kmsEntropyOf(have.config);
    if (mode === 'off') return skip('it is switched off', context);
    try {
      return await mixIn(have, context, mode === 'required');
    } catch (error) {
      context.signal.throwIfAborted();
      if (mode === 'required') throw withAdvice(error);
      return skip(describeError(error), context, errorCode(error));
    }
  },
};

async function mixIn(have: Needs, context: PhaseContext, patient: boolean) {
  const question = {
    what: 'waiting for KMS to give randomness',
    ask: (kms: AttestedKms, signal: AbortSignal) => kms.generateRandom({ lengthBytes: SEED_BYTES, signal }),
    patient,
    key: have.firstRecipientKey,
  };
  using random = await askKms(question, have, context);
  await random.use((bytes) => context.platform.addEntropy(bytes));
  reseedOpenSsl();
  context.logger.log('info', 'entropy.kms-mixed', { entropyBytes: random.length });
  return { kmsEntropyBytes: random.length };
}

function withAdvice(error: unknown): unknown {
  if (!(error instanceof KmsError) || error.code !== 'KMS_ACCESS_DENIED') return error;
  return new KmsError('KMS_ACCESS_DENIED', 'KMS refuses to give this enclave randomness (GenerateRandom)', {
    ...(error.found === undefined ? {} : { found: error.found }),
    action: ALLOW,
    cause: error.cause,
  });
}

function skip(reason: string, { logger }: PhaseContext, code?: string): { readonly kmsEntropyBytes: number } {
  const level = code === undefined ? 'info' : 'warn';
  logger.log(level, 'entropy.kms-skipped', { reason, ...(code === undefined ? {} : { code }) });
  return { kmsEntropyBytes: 0 };
}
