/** The command line of our own kernels. It is measured in PCR0 and PCR1. No `--` on it: the hypervisor appends its devices behind. */
import { INIT_PATH, NODE_PATH } from '../../wire/image-layout.ts';

/**
 * What stands after `rdinit=` and is unknown to the kernel goes to init, so it comes last; the hypervisor appends its devices,
 * which have a dot and stay the kernel's.
 */
const PARAMETERS: readonly string[] = [
  // A triple fault ends every virtual machine; the keyboard controller of `reboot=k` is not everywhere.
  'reboot=t',
  'panic=-1',
  'console=ttyS0',
  'random.trust_cpu=on',
  // CONFIG_SHUFFLE_PAGE_ALLOCATOR alone only builds it in.
  'page_alloc.shuffle=1',
  `rdinit=/${NODE_PATH}`,
  `/${INIT_PATH}`,
];

export const KERNEL_CMDLINE = PARAMETERS.join(' ');
