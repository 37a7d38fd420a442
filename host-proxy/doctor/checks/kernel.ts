/** Kernels that are known to harm vsock connections, on the parent and in the image (kernel-hazards.ts, docs/vsock-kernels.md). */
import { harmlessText } from '../../../runtime/harmless-text.ts';
import type { Check, Finding } from '../check.ts';
import { ok, onNitro, skipped, warning } from '../check.ts';
import { kernelOfImage, NO_FACTS } from '../facts-of-image.ts';
import type { KernelHazard } from '../kernel-hazards.ts';
import { KERNEL_HAZARDS, mendedIn, standing } from '../kernel-hazards.ts';
import type { KernelRelease } from '../kernel-release.ts';
import { parseKernelRelease } from '../kernel-release.ts';

const OS_RELEASE = '/proc/sys/kernel/osrelease';

function describe(hazard: KernelHazard, kernel: KernelRelease): string {
  const mended = mendedIn(hazard, kernel);
  const since = mended === undefined ? `no ${kernel.series} is known that mends it` : `mended in ${mended}`;
  return `${hazard.name}: ${hazard.what} (${since}; ${hazard.source})`;
}

/** What is to be said of a kernel. @param where it runs */
function judge(text: string, where: 'parent' | 'enclave'): Finding {
  const kernel = parseKernelRelease(text);
  if (kernel === undefined) return skipped(`no name of a kernel: ${harmlessText(text.trim())}`);
  const hazards = KERNEL_HAZARDS.filter((hazard) => hazard.where === 'either' || hazard.where === where);
  const had = hazards.filter((hazard) => standing(hazard, kernel) === 'has');
  const unknown = hazards.filter((hazard) => standing(hazard, kernel) === 'unknown').map(({ name }) => name);
  if (had.length > 0) {
    const found = `Linux ${kernel.text} has ${had.map((hazard) => describe(hazard, kernel)).join('; ')}`;
    const actions = [...new Set(had.map(({ action }) => action))].join('. ');
    const note = kernel.isDistribution
      ? ' Its distribution may have mended it by a patch of its own: its changelog tells.'
      : '';
    return warning(found, `${actions.charAt(0).toUpperCase()}${actions.slice(1)}.${note}`);
  }
  if (unknown.length === 0) return ok(`Linux ${kernel.text}`);
  return ok(
    `Linux ${kernel.text}; its name does not tell whether it has ${unknown.join(', ')}: its changelog does (docs/vsock-kernels.md)`,
  );
}

export const kernelCheck = onNitro({
  name: 'kernel',
  checked: 'the kernel of this machine',
  needsNoConfig: true,
  examine({ system }) {
    const release = system.readText(OS_RELEASE);
    return release === undefined ? skipped(`no ${OS_RELEASE}`) : judge(release, 'parent');
  },
});

export const enclaveKernelCheck: Check = {
  name: 'enclave-kernel',
  checked: 'the kernel of the enclave image',
  examine(context) {
    const release = kernelOfImage(context);
    return release === undefined ? skipped(NO_FACTS) : judge(release, 'enclave');
  },
};
