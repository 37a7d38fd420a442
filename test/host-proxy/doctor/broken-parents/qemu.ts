/** What a laptop may lack that runs enclaves with QEMU. */
import { qemuConfig } from '../fake-parent.ts';
import type { BrokenParent } from './broken-parent.ts';

export const LAPTOPS: readonly BrokenParent[] = [
  {
    what: 'a missing QEMU',
    check: 'qemu',
    config: qemuConfig(),
    found: /no program qemu-system-x86_64/,
    advice: /QEMU 9\.2/,
    breakIt: ({ commands }) => commands.delete('qemu-system-x86_64 -machine help'),
  },
  {
    what: 'a QEMU without enclaves',
    check: 'qemu',
    config: qemuConfig(),
    found: /no machine nitro-enclave/,
    advice: /QEMU 9\.2/,
    breakIt: ({ commands }) => commands.set('qemu-system-x86_64 -machine help', { code: 0, stdout: 'microvm\n' }),
  },
  {
    what: 'a QEMU without its firmware',
    check: 'qemu',
    config: qemuConfig({ firmware: '/opt/qemu' }),
    found: /lacks qboot\.rom and linuxboot_dma\.bin/,
    breakIt: () => undefined,
  },
  {
    what: 'a missing vhost-device-vsock',
    check: 'qemu',
    config: qemuConfig(),
    found: /no program vhost-device-vsock/,
    advice: /vhostDeviceVsock/,
    breakIt: ({ commands }) => commands.delete('vhost-device-vsock --version'),
  },
];
