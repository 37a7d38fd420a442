/**
 * Whether the allocator set aside enough CPUs.
 * Sources: Linux, drivers/virt/nitro_enclaves (ne_cpus is a cpu-list; whole cores of one NUMA node, never CPU 0's).
 */
import { failure, ok, onNitro, skipped } from '../check.ts';

const POOL = '/sys/module/nitro_enclaves/parameters/ne_cpus';

/** How many CPUs a list like `1,3,5-7` names; undefined when it is none. */
function countCpus(list: string): number | undefined {
  const ranges = list.split(',').filter((part) => part !== '');
  let count = 0;
  for (const range of ranges) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range);
    if (!match) return undefined;
    count += match[2] === undefined ? 1 : Number(match[2]) - Number(match[1]) + 1;
  }
  return count;
}

export const cpusCheck = onNitro({
  name: 'enclave-cpus',
  checked: 'CPUs that are set aside for enclaves',
  needsNoConfig: true,
  examine({ system, config }) {
    const list = system.readText(POOL)?.trim();
    if (list === undefined) return skipped('the driver is not loaded');
    const wanted = config.enclave.run?.cpuCount ?? 1;
    const found = countCpus(list);
    if (found !== undefined && found >= wanted) return ok(`${found} (${list}); the enclave takes ${wanted}`);
    return failure(
      `${found ?? 'unknown'}${list === '' ? '' : ` (${list})`}; the enclave takes ${wanted}`,
      `Set \`cpu_count: ${wanted}\` or more, in whole cores, in /etc/nitro_enclaves/allocator.yaml, then ` +
        '`systemctl enable nitro-enclaves-allocator && systemctl restart nitro-enclaves-allocator` while no enclave runs. ' +
        'Or lower `enclave.run.cpuCount`.',
    );
  },
});
