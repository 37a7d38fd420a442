/** `defaults`: the machine that the enclave gets. */
import { enclaveName } from './about.ts';
import type { Change, Part } from './change.ts';
import { place } from './change.ts';
import type { Manifest } from './manifest.ts';

/** Enclaver's, run.rs. */
const DEFAULT_CPUS = 2;
const DEFAULT_MEMORY_MIB = 4_096;
const IMAGE = '/var/lib/acra-enclave/acra-enclave.eif';
/** The first that Nitro gives to enclaves is 4; nitro-cli chose one itself. */
const CID = 16;

export function memoryOf({ defaults }: Manifest): number {
  return defaults?.memory_mb ?? DEFAULT_MEMORY_MIB;
}

function change(field: string, found: number | null | undefined, to: readonly string[], fallback: number): Change {
  const isSaid = found !== null && found !== undefined;
  return {
    field,
    found: found ?? undefined,
    outcome: 'kept',
    places: to.map((path) => (path === 'memoryMiB' ? place('image', path) : place('host', path))),
    why: isSaid ? 'It is not measured, as in Enclaver.' : `${fallback}: what Enclaver takes where nothing is said.`,
  };
}

export function machinePart(manifest: Manifest): Part {
  const { defaults, name } = manifest;
  const memoryMiB = memoryOf(manifest);
  const run = {
    driver: 'nitro-cli',
    image: IMAGE,
    cpuCount: defaults?.cpu_count ?? DEFAULT_CPUS,
    memoryMiB,
    name: enclaveName(name),
  };
  return {
    files: { host: { enclave: { transport: 'vsock', cid: CID, run } }, image: { memoryMiB } },
    changes: [
      change('defaults.cpu_count', defaults?.cpu_count, ['enclave.run.cpuCount'], DEFAULT_CPUS),
      change('defaults.memory_mb', defaults?.memory_mb, ['enclave.run.memoryMiB', 'memoryMiB'], DEFAULT_MEMORY_MIB),
    ],
  };
}
