/** The Nitro Security Module answers, its generator feeds the kernel, and the measurements are known. */
import type { NsmProvider } from '../../../attestation/nsm/provider.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { SupervisorError } from '../../errors.ts';
import type { Phase } from '../phase.ts';
import type { BootStart } from '../start.ts';

/** PCR0-2 image, 3 role, 4 instance, 8 signing certificate (nitro-formats 3.2). */
const MEASURED_PCRS = [0, 1, 2, 3, 4, 8] as const;

export interface NsmReady {
  readonly nsm: NsmProvider;
}

export interface Measured {
  /** `PCR<n>` to hex, as the parent was told. */
  readonly measurements: Readonly<Record<string, string>>;
}

export const nsmPhase: Phase<BootStart, NsmReady & Measured> = {
  name: 'nsm',
  deadlineMs: () => 10_000,
  async run({ control, acraProgram }, { platform, logger, defer }) {
    const nsm = await platform.openNsm();
    defer(() => nsm.close());
    const { moduleId, maxPcrs } = await nsm.describe();
    const rng = await platform.currentHardwareRng();
    if (rng !== platform.requiredHardwareRng) {
      throw new SupervisorError('BOOT_RNG_NOT_NSM', 'the kernel draws from another random generator', {
        found: rng,
        allowed: platform.requiredHardwareRng,
      });
    }
    const measurements: Record<string, string> = {};
    for (const index of MEASURED_PCRS) {
      const { value } = await nsm.describePcr(toPcrIndex(index));
      measurements[`PCR${index}`] = value.toString('hex');
    }
    logger.log('info', 'nsm.described', { moduleId, maxPcrs, rng, ...measurements });
    control.send(
      { type: 'measurements', pcrs: measurements, acraServer: acraProgram?.description ?? null },
      { sticky: true },
    );
    return { nsm, measurements };
  },
};
