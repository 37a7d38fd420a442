/** How long an application may take to stop: open connections first, then its programs, one behind the other where `after` says so. */
import { DEFAULT_STOP_GRACE_MS } from '../enclave-run.ts';
import type { AppEnclaveConfig } from './app-enclave.ts';

type Config = Pick<AppEnclaveConfig, 'programs' | 'restart'>;

function longestChain(programs: Config['programs']): number {
  const known = new Map<string, number>();
  const lengthOf = (name: string): number => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const length = 1 + Math.max(0, ...(programs[name]?.after ?? []).map(lengthOf));
    known.set(name, length);
    return length;
  };
  return Math.max(...Object.keys(programs).map(lengthOf));
}

/** At most, from the first stop signal on; without what each has printed last. */
export function programsStopMs({ programs, restart }: Config): number {
  return longestChain(programs) * restart.stopGraceMs;
}

/** For people, where the parent would end the machine before the last program has stopped. */
export function stopWarnings({ programs, restart }: Config): readonly string[] {
  const longestMs = restart.drainMs + programsStopMs({ programs, restart });
  if (longestMs <= DEFAULT_STOP_GRACE_MS) return [];
  return [
    `restart: programs that use all of stopGraceMs stop within ${longestMs} ms; enclave.run.stopGraceMs of host-proxy.yaml (default ${DEFAULT_STOP_GRACE_MS}) must be longer, or the parent ends the machine before`,
  ];
}
