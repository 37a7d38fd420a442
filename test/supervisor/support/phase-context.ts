/** What a boot phase is given besides the results of earlier ones: nothing real but the status board. */
import type { Clock } from '../../../runtime/clock.ts';
import { LogBuffer } from '../../../supervisor/control/log-buffer.ts';
import type { Platform } from '../../../supervisor/platform.ts';
import { StatusBoard } from '../../../supervisor/status.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { seededRandom } from '../../support/seeded-random.ts';

/** @param seed of the random source */
export function phaseContext<ItsClock extends Clock>(seed: string, clock: ItsClock, platform: Partial<Platform> = {}) {
  return {
    platform: platform as Platform,
    clock,
    random: seededRandom(seed),
    logger: new MemoryLogger(),
    status: new StatusBoard(clock),
    defer: () => undefined,
    fail: () => undefined,
    stop: () => undefined,
    outputLog: new LogBuffer({ clock, maxRecords: 1_000, onRecord: () => undefined }),
  };
}
