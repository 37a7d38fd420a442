/** Kernels that harm vsock, on the parent and in the image. */
import { IMAGE, imageOf } from '../fake-parent.ts';
import type { BrokenParent } from './broken-parent.ts';

const OS_RELEASE = '/proc/sys/kernel/osrelease';

export const KERNELS: readonly BrokenParent[] = [
  {
    what: 'a parent whose kernel resets connections for small packets',
    check: 'kernel',
    outcome: 'warning',
    found: /^Linux 6\.12\.94\+deb13-cloud-amd64 has small-packets: .* \(mended in 6\.12\.101; /,
    advice: /^Update it, and restart the machine.*Its distribution may have mended it/,
    breakIt: ({ files }) => files.set(OS_RELEASE, '6.12.94+deb13-cloud-amd64\n'),
  },
  {
    what: 'a parent whose accept queue leaks',
    check: 'kernel',
    outcome: 'warning',
    found: /accept-queue: .*CVE-2026-46214\) \(mended in 6\.1\.175/,
    advice: /restart the machine/,
    breakIt: ({ files }) => files.set(OS_RELEASE, '6.1.148-173.267.amzn2023.x86_64\n'),
  },
  {
    what: 'a parent whose kernel’s name tells nothing of its fixes',
    check: 'kernel',
    outcome: 'ok',
    found: /^Linux 6\.8\.0-1021-aws; its name does not tell whether it has accept-queue:/,
    breakIt: ({ files }) => files.set(OS_RELEASE, '6.8.0-1021-aws\n'),
  },
  {
    what: 'a parent that hides its kernel',
    check: 'kernel',
    outcome: 'skipped',
    found: /no \/proc\/sys\/kernel\/osrelease/,
    breakIt: ({ files }) => files.delete(OS_RELEASE),
  },
  {
    what: 'a parent with a kernel of no known name',
    check: 'kernel',
    outcome: 'skipped',
    found: /no name of a kernel: next/,
    breakIt: ({ files }) => files.set(OS_RELEASE, 'next\n'),
  },
  {
    what: 'an image with AWS’s old kernel',
    check: 'enclave-kernel',
    outcome: 'warning',
    found: /^Linux 4\.14\.256 has old-enclave-kernel/,
    advice: /AWS’s kernel 6\.6\.62/,
    breakIt: ({ files }) => files.set(IMAGE, imageOf({ kernel: '4.14.256' })),
  },
];
