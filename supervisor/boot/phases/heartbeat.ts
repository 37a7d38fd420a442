/**
 * Tells the parent that the enclave has booted. It comes after everything that the enclave can check of itself, so that
 * starting a broken image fails where it was started. Specification: nitro-formats 3.4 step 5.
 */
import { SupervisorError } from '../../errors.ts';
import { exchangeByte } from '../../probes/exchange-byte.ts';
import { heartbeatRoute } from '../../routes.ts';
import { retryPatiently } from '../patience.ts';
import type { Phase } from '../phase.ts';
import type { ControlReady } from './control.ts';

const HEARTBEAT = 0xb7;

export const heartbeatPhase: Phase<ControlReady, object> = {
  name: 'heartbeat',
  deadlineMs: () => 60_000,
  async run({ relay }, context) {
    const { platform, logger } = context;
    if (!platform.sendsHeartbeat) return {};
    const route = heartbeatRoute(platform);
    await relay.addRoute(route);
    await retryPatiently(
      {
        what: 'waiting for the parent to take the heartbeat',
        attempt: (signal) => beat(route.listen.path, signal),
        isTemporary: (error) => error instanceof SupervisorError,
      },
      context,
    );
    await relay.removeRoute(route.label, { drainMs: 1 });
    logger.log('info', 'heartbeat.answered', {});
    return {};
  },
};

/** nitro-cli sends the same byte back. Where nobody listens the relay closes without an answer. */
async function beat(path: string, signal: AbortSignal): Promise<void> {
  const answer = await exchangeByte(path, HEARTBEAT, signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new SupervisorError('BOOT_HEARTBEAT_UNANSWERED', 'nobody took the heartbeat', { cause });
  });
  if (answer === HEARTBEAT) return;
  if (answer === undefined) throw new SupervisorError('BOOT_HEARTBEAT_UNANSWERED', 'nobody took the heartbeat');
  throw new SupervisorError('BOOT_HEARTBEAT_UNANSWERED', 'the heartbeat came back changed', {
    found: String(answer),
    allowed: String(HEARTBEAT),
  });
}
