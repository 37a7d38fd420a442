/**
 * Whether the allocator set aside enough huge pages, and whether `memoryMiB` is enough for the image.
 * Sources: Linux, Documentation/admin-guide/mm/hugetlbpage.rst; the driver takes pages of 2 MiB or more
 * (NE_MIN_MEM_REGION_SIZE); nitro-formats, "nitro-cli limits": memory of at least 4 times the image.
 */
import type { CheckContext, Finding } from '../check.ts';
import { AS_ROOT, failure, ok, onNitro, skipped, warning } from '../check.ts';
import type { ParentSystem } from '../parent-system.ts';

const FOLDER = '/sys/kernel/mm/hugepages';
const MIN_PAGE_KIB = 2048;
const KIB_PER_MIB = 1024;
const BYTES_PER_MIB = 1024 * 1024;
const MIN_IMAGE_MULTIPLE = 4;

interface HugePages {
  readonly totalMiB: number;
  readonly freeMiB: number;
}

function readHugePages(system: ParentSystem): HugePages {
  let [totalKib, freeKib] = [0, 0];
  for (const name of system.list(FOLDER)) {
    const pageKib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
    if (pageKib < MIN_PAGE_KIB) continue;
    totalKib += pageKib * Number(system.readText(`${FOLDER}/${name}/nr_hugepages`) ?? 0);
    freeKib += pageKib * Number(system.readText(`${FOLDER}/${name}/free_hugepages`) ?? 0);
  }
  return { totalMiB: totalKib / KIB_PER_MIB, freeMiB: freeKib / KIB_PER_MIB };
}

function tooSmallForImage({ config, system }: CheckContext): Finding | undefined {
  const { run } = config.enclave;
  const image = run && system.status(run.image);
  if (!run || !image) return undefined;
  const neededMiB = Math.ceil((MIN_IMAGE_MULTIPLE * image.bytes) / BYTES_PER_MIB);
  if (run.memoryMiB >= neededMiB) return undefined;
  return failure(
    `the enclave takes ${run.memoryMiB} MiB, but an image of this size needs ${neededMiB} MiB`,
    `Set \`enclave.run.memoryMiB: ${neededMiB}\` or more, and reserve as much in /etc/nitro_enclaves/allocator.yaml.`,
  );
}

export const memoryCheck = onNitro({
  name: 'enclave-memory',
  checked: 'huge pages that are set aside for enclaves',
  examine(context) {
    const { run } = context.config.enclave;
    if (!run) return skipped('there is no `enclave.run`, so nothing says how much is needed');
    const small = tooSmallForImage(context);
    if (small) return small;
    const { totalMiB, freeMiB } = readHugePages(context.system);
    const found = `${freeMiB} of ${totalMiB} MiB are free; the enclave takes ${run.memoryMiB} MiB`;
    if (freeMiB >= run.memoryMiB) {
      if (!context.system.isHidden(run.image)) return ok(found);
      return warning(`${found}; whether that is enough for the image, this user may not see`, AS_ROOT);
    }
    if (totalMiB >= run.memoryMiB) {
      return warning(
        found,
        'Fine while this enclave is running. Else `nitro-cli describe-enclaves` tells which one has them.',
      );
    }
    return failure(
      found,
      `Set \`memory_mib: ${run.memoryMiB}\` or more in /etc/nitro_enclaves/allocator.yaml, then ` +
        '`systemctl enable nitro-enclaves-allocator && systemctl restart nitro-enclaves-allocator` while no enclave runs. ' +
        'If the allocator fails, memory is fragmented: reboot; it then reserves early.',
    );
  },
});
