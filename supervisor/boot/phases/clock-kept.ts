/** The wall clock that boot has set is held at the hypervisor's from now on. */
import type { AnyEnclaveConfig } from '../../../config/any-enclave.ts';
import { ClockKeeper } from '../../clock/clock-keeper.ts';
import type { Phase } from '../phase.ts';
import type { NsmReady } from './nsm.ts';

export interface ClockKept {
  readonly clockKeeper: ClockKeeper;
}

type Needs = { readonly config: Pick<AnyEnclaveConfig, 'health'> } & NsmReady;

export const clockKeptPhase: Phase<Needs, ClockKept> = {
  name: 'clock-kept',
  deadlineMs: () => 10_000,
  async run({ config, nsm }, { platform, clock, logger, signal, defer, fail }) {
    const { clockCheckMs: checkMs, maxClockJumpMs: maxJumpMs } = config.health;
    const clockKeeper = new ClockKeeper({ platform, nsm, clock, logger, checkMs, maxJumpMs, onFailure: fail });
    await clockKeeper.start(signal);
    defer(() => clockKeeper.stop());
    return { clockKeeper };
  },
};
