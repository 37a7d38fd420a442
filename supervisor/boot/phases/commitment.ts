/**
 * The enclave says how it runs before it does anything with that: PCR16 is extended, once, by the commitment to the runtime
 * statement, and all registers are locked. Whatever the security module signs afterwards, first of all what KMS is sent, carries it,
 * and nothing in the enclave can change a register any more. What the module then shows is compared with what it must show.
 * Specification: nitro-formats 3.5 (ExtendPCR, LockPCRs); decision 22.
 */
import { NsmError } from '../../../attestation/errors.ts';
import type { NsmProvider } from '../../../attestation/nsm/provider.ts';
import { isZeroPcr, PCR_COUNT } from '../../../attestation/pcr.ts';
import { digestFiles } from '../../../attestation/runtime/folder-digest.ts';
import { type StatedRuntime, stateRuntime } from '../../../attestation/runtime/state-runtime.ts';
import { COMMITMENT_PCR } from '../../../attestation/runtime/statement.ts';
import type { AnyEnclaveConfig } from '../../../config/any-enclave.ts';
import { RELEASE } from '../../../runtime/release.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { SupervisorError } from '../../errors.ts';
import type { Phase } from '../phase.ts';
import type { BootStart } from '../start.ts';
import type { Measured, NsmReady } from './nsm.ts';

export interface Committed {
  readonly stated: StatedRuntime;
}

const ALL = Array.from({ length: PCR_COUNT }, (_, index) => toPcrIndex(index));

type Needs = BootStart & { readonly config: AnyEnclaveConfig } & NsmReady & Measured;

export const commitmentPhase: Phase<Needs, Committed> = {
  name: 'commitment',
  deadlineMs: () => 30_000,
  async run({ folder, config, nsm, control, measurements, acraProgram }, { logger }) {
    const stated = stateRuntime({ config, files: await digestFiles(folder), release: RELEASE });
    await requireFresh(nsm);
    const extended = await nsm.extendPcr(COMMITMENT_PCR, stated.commitment);
    requireValue(extended, stated);
    await lockAll(nsm);
    requireValue((await requireLocked(nsm)).value, stated);
    const PCR16 = stated.pcr16.toString('hex');
    logger.log('info', 'commitment.made', { statement: stated.encoding.toString('utf8'), PCR16 });
    const pcrs = { ...measurements, PCR16 };
    control.send({ type: 'measurements', pcrs, acraServer: acraProgram?.description ?? null }, { sticky: true });
    return { stated };
  },
};

/** @throws SupervisorError BOOT_COMMITMENT_TAKEN */
async function requireFresh(nsm: NsmProvider): Promise<void> {
  const { locked, value } = await nsm.describePcr(COMMITMENT_PCR);
  if (!locked && isZeroPcr(value)) return;
  throw new SupervisorError('BOOT_COMMITMENT_TAKEN', 'PCR16 is not as a security module has it at first', {
    found: `${locked ? 'locked' : 'not locked'}, ${value.toString('hex')}`,
    allowed: 'not locked, zeros',
  });
}

/** @throws SupervisorError BOOT_COMMITMENT_FAILED */
function requireValue(value: Buffer, { pcr16 }: StatedRuntime): void {
  if (value.equals(pcr16)) return;
  throw new SupervisorError('BOOT_COMMITMENT_FAILED', 'PCR16 has another value than the commitment gives', {
    found: value.toString('hex'),
    allowed: pcr16.toString('hex'),
  });
}

/** In one call, which leaves locked registers as they are; one after the other where a module refuses that. */
async function lockAll(nsm: NsmProvider): Promise<void> {
  try {
    await nsm.lockPcrs(PCR_COUNT);
  } catch (error) {
    if (!(error instanceof NsmError)) throw error;
    for (const index of ALL) if (!(await nsm.describePcr(index)).locked) await nsm.lockPcr(index);
  }
}

/** By both ways that a module tells it. @returns PCR16. @throws SupervisorError BOOT_COMMITMENT_FAILED */
async function requireLocked(nsm: NsmProvider): Promise<{ readonly value: Buffer }> {
  const { lockedPcrs, maxPcrs } = await nsm.describe();
  const open = ALL.filter((index) => !lockedPcrs.includes(index));
  for (const index of ALL) if (!(await nsm.describePcr(index)).locked) open.push(index);
  if (open.length === 0 && maxPcrs === PCR_COUNT) return nsm.describePcr(COMMITMENT_PCR);
  throw new SupervisorError('BOOT_COMMITMENT_FAILED', 'not every register is locked', {
    found: `${maxPcrs} registers; not locked: ${[...new Set(open)].map((index) => `PCR${index}`).join(', ') || 'none'}`,
    allowed: `${PCR_COUNT} registers, all locked`,
  });
}
