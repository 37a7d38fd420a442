/** The wall clock that boot has set is held at the hypervisor's from now on. */
import { ClockKeeper } from '../../clock/clock-keeper.ts';
import type { Phase } from '../phase.ts';
import type { Configured } from './configuration.ts';
import type { NsmReady } from './nsm.ts';

export interface ClockKept {
  readonly clockKeeper: ClockKeeper;
}

export const clockKeptPhase: Phase<Pick<Configured, 'config'> & NsmReady, ClockKept> = {
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
