/**
 * A relay in a process with few descriptors. Argument: the unix socket to listen on, the one to connect to. Answers each
 * message of its parent with what it holds.
 */
import { readdirSync } from 'node:fs';
import { Relay } from '../../../relay/relay.ts';
import { RecordingLogger, route } from './relay.ts';

const [listen, connect] = process.argv.slice(2);
const log = new RecordingLogger();
const relay = new Relay({ logger: log });
await relay.start(AbortSignal.timeout(30_000));
await relay.addRoute(route({ listen: `unix://${listen}`, connect: `unix://${connect}` }));

/** undefined when not even this can be opened. */
function countDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

async function report() {
  const snapshot = await relay.snapshot();
  return {
    snapshot,
    descriptors: countDescriptors(),
    counters: relay.counters()['route'],
    paused: log.of('relay.accept-paused').length,
    cpuMicros: process.cpuUsage().user + process.cpuUsage().system,
  };
}

process.on('message', () => void report().then((answer) => process.send?.(answer)));
process.on('disconnect', () => void relay.stop());
process.send?.(await report());
