/**
 * Instances that may be a parent: Nitro, with enclaves, of at least four vCPUs, so that the parent keeps a whole core beside its enclave.
 * Two threads share a core on Intel and AMD, none do on Graviton. Amazon EC2 documentation, "Requirements" of Nitro Enclaves.
 */

export type Processor = 'x86_64' | 'aarch64';

interface Size {
  readonly vcpus: number;
}

interface Family {
  readonly processor: Processor;
  readonly gibPerVcpu: number;
}

const SIZES: Readonly<Record<string, Size>> = {
  xlarge: { vcpus: 4 },
  '2xlarge': { vcpus: 8 },
  '4xlarge': { vcpus: 16 },
};

const FAMILIES: Readonly<Record<string, Family>> = {
  c6a: { processor: 'x86_64', gibPerVcpu: 2 },
  m6a: { processor: 'x86_64', gibPerVcpu: 4 },
  r6a: { processor: 'x86_64', gibPerVcpu: 8 },
  c6i: { processor: 'x86_64', gibPerVcpu: 2 },
  m6i: { processor: 'x86_64', gibPerVcpu: 4 },
  r6i: { processor: 'x86_64', gibPerVcpu: 8 },
  c6g: { processor: 'aarch64', gibPerVcpu: 2 },
  m6g: { processor: 'aarch64', gibPerVcpu: 4 },
  r6g: { processor: 'aarch64', gibPerVcpu: 8 },
};

export const INSTANCE_TYPES: readonly string[] = Object.keys(FAMILIES).flatMap((family) =>
  Object.keys(SIZES).map((size) => `${family}.${size}`),
);

export interface ParentMachine {
  readonly processor: Processor;
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** vCPUs that are given away together. */
  readonly threadsPerCore: 1 | 2;
}

const MIB_PER_GIB = 1024;

/** Undefined for what INSTANCE_TYPES does not list. */
export function parentMachine(instanceType: string): ParentMachine | undefined {
  const [familyName = '', sizeName = ''] = instanceType.split('.');
  const [family, size] = [FAMILIES[familyName], SIZES[sizeName]];
  if (family === undefined || size === undefined) return undefined;
  const { processor, gibPerVcpu } = family;
  const { vcpus } = size;
  const memoryMiB = vcpus * gibPerVcpu * MIB_PER_GIB;
  return { processor, vcpus, memoryMiB, threadsPerCore: processor === 'x86_64' ? 2 : 1 };
}
