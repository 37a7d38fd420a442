/** Whether the enclave's memory is enough for the unpacked root file system (eif/memory-budget.ts), on Nitro and on QEMU. */
import { memoryBudget } from '../../../eif/memory-budget.ts';
import type { Check } from '../check.ts';
import { failure, ok, skipped, warning } from '../check.ts';
import { factsOfImage, NO_FACTS } from '../facts-of-image.ts';

const advice = (memoryMiB: number) =>
  `Set \`enclave.run.memoryMiB: ${memoryMiB}\` or more; on Nitro reserve as much in /etc/nitro_enclaves/allocator.yaml.`;

export const rootFileSystemCheck: Check = {
  name: 'root-file-system',
  checked: "the enclave's memory and its root file system",
  examine(context) {
    const facts = factsOfImage(context);
    const { run } = context.config.enclave;
    if (facts === undefined || run === undefined) return skipped(NO_FACTS);
    const { outcome, found, goodMiB, neededMiB } = memoryBudget(facts.unpackedBytes, run.memoryMiB);
    if (outcome === 'enough') return ok(found);
    if (outcome === 'tight') return warning(`${found}; little is left for sessions`, advice(goodMiB));
    return failure(`${found}: it will not boot with less than ${neededMiB} MiB`, advice(goodMiB));
  },
};
