/** What a parent instance may lack of its own: device, driver, processors, memory, programs, accounts. */
import { IMAGE, nitroConfig } from '../fake-parent.ts';
import type { BrokenParent } from './broken-parent.ts';

const closed = { bytes: 0, readable: false, writable: false };

export const MACHINES: readonly BrokenParent[] = [
  {
    what: 'an instance without enclave support',
    check: 'enclave-device',
    found: /no \/dev\/nitro_enclaves on this EC2 instance \(c6a\.xlarge\)/,
    advice: /--enclave-options Enabled=true/,
    breakIt: ({ status }) => status.delete('/dev/nitro_enclaves'),
  },
  {
    what: 'a machine that is no EC2 instance',
    check: 'enclave-device',
    found: /not an EC2 instance \(QEMU\)/,
    advice: /qemu/,
    breakIt({ status, files }) {
      status.delete('/dev/nitro_enclaves');
      files.set('/sys/devices/virtual/dmi/id/sys_vendor', 'QEMU\n');
    },
  },
  {
    what: 'a user who may not open the device',
    check: 'enclave-device',
    found: /may not open/,
    advice: /usermod -aG ne/,
    breakIt: ({ status }) => status.set('/dev/nitro_enclaves', { ...closed, readable: true }),
  },
  {
    what: 'a missing driver',
    check: 'enclave-driver',
    found: /not loaded/,
    advice: /modprobe nitro_enclaves/,
    breakIt: ({ status }) => status.delete('/sys/module/nitro_enclaves'),
  },
  {
    what: 'too few CPUs',
    check: 'enclave-cpus',
    found: /2 \(1,3\); the enclave takes 4/,
    advice: /cpu_count: 4/,
    config: nitroConfig({
      enclave: {
        transport: 'vsock',
        cid: 16,
        run: { driver: 'nitro-cli', image: IMAGE, cpuCount: 4, memoryMiB: 3072 },
      },
    }),
    breakIt: () => undefined,
  },
  {
    what: 'no CPUs',
    check: 'enclave-cpus',
    found: /^0; the enclave takes 2/,
    advice: /allocator\.yaml/,
    breakIt: ({ files }) => files.set('/sys/module/nitro_enclaves/parameters/ne_cpus', '\n'),
  },
  {
    what: 'too little memory; pages below 2 MiB do not count',
    check: 'enclave-memory',
    found: /2048 of 2048 MiB are free; the enclave takes 3072 MiB/,
    advice: /memory_mib: 3072/,
    breakIt({ files }) {
      files.set('/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages', '0');
      files.set('/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages', '0');
    },
  },
  {
    what: 'memory that another enclave has',
    check: 'enclave-memory',
    outcome: 'warning',
    found: /2048 of 3072 MiB are free/,
    advice: /describe-enclaves/,
    breakIt: ({ files }) => files.set('/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages', '0'),
  },
  {
    what: 'memory below 4 times the image',
    check: 'enclave-memory',
    found: /takes 3072 MiB.*needs 4000 MiB/,
    advice: /memoryMiB: 4000/,
    breakIt: ({ status }) => status.set(IMAGE, { ...closed, readable: true, bytes: 1000 * 1024 * 1024 }),
  },
  {
    what: 'a missing nitro-cli',
    check: 'nitro-cli',
    found: /no program nitro-cli/,
    advice: /dnf install aws-nitro-enclaves-cli/,
    breakIt: ({ commands }) => commands.delete('nitro-cli --version'),
  },
  {
    what: 'a broken nitro-cli',
    check: 'nitro-cli',
    found: /code 127/,
    breakIt: ({ commands }) => commands.set('nitro-cli --version', { code: 127, stdout: '' }),
  },
  {
    what: 'folders that nitro-cli cannot write to',
    check: 'nitro-cli',
    found: /may not write to \/run\/nitro_enclaves$/,
    advice: /group ne/,
    breakIt: ({ status }) => status.set('/run/nitro_enclaves', closed),
  },
  {
    what: 'a kernel without vsock',
    check: 'vsock',
    found: /EAFNOSUPPORT/,
    advice: /modprobe -a vsock vmw_vsock_virtio_transport/,
    breakIt: (parent) => Object.assign(parent, { vsockError: 'EAFNOSUPPORT' }),
  },
  {
    what: 'a missing /dev/vsock',
    check: 'vsock',
    found: /no \/dev\/vsock/,
    breakIt: ({ status }) => status.delete('/dev/vsock'),
  },
  {
    what: 'a missing user of the service',
    check: 'service-user',
    outcome: 'warning',
    found: /the user acra-enclave does not exist/,
    advice: /systemd-sysusers/,
    breakIt: ({ files }) => files.set('/etc/passwd', 'root:x:0:0::/root:/bin/sh\n'),
  },
];
