/** What may be wrong with the enclave image. */
import type { FakeParent } from '../fake-parent.ts';
import { IMAGE, imageOf, nitroConfig, qemuConfig, SILENT_IMAGE } from '../fake-parent.ts';
import type { BrokenParent } from './broken-parent.ts';

const closed = { bytes: 0, readable: false, writable: false };
const AT_HOME = '/home/ec2-user/acra-enclave.eif';

function hideImage({ status, hidden }: FakeParent): void {
  status.delete(IMAGE);
  hidden.add(IMAGE);
}

export const IMAGES: readonly BrokenParent[] = [
  {
    what: 'a missing image',
    check: 'enclave-image',
    found: /there is no \/var\/lib/,
    advice: /enclave\.run\.image/,
    breakIt: ({ status }) => status.delete(IMAGE),
  },
  {
    what: 'an image that this user may not look for',
    check: 'enclave-image',
    found: /this user may not look whether there is \/var\/lib/,
    advice: /sudo acra-enclave doctor/,
    breakIt: hideImage,
  },
  {
    what: 'an image whose size this user may not see',
    check: 'enclave-memory',
    outcome: 'warning',
    found: /3072 of 3072 MiB are free.*may not see/,
    advice: /sudo acra-enclave doctor/,
    breakIt: hideImage,
  },
  {
    what: 'an image that cannot be read',
    check: 'enclave-image',
    found: /cannot be read/,
    breakIt: ({ status }) => status.set(IMAGE, closed),
  },
  {
    what: 'an image that the service’s user may not read',
    check: 'enclave-image',
    outcome: 'warning',
    found: /60\.0 MiB, but the user acra-enclave may not read it/,
    advice: /chown root:acra-enclave/,
    breakIt: ({ commands }) =>
      commands.set(`runuser -u acra-enclave -- sh -c test -r "$1"; echo "$?" sh ${IMAGE}`, { code: 0, stdout: '1\n' }),
  },
  {
    what: 'an image where the systemd unit does not look',
    check: 'enclave-image',
    outcome: 'warning',
    found: /does not see that folder/,
    advice: /\/var\/lib\/acra-enclave/,
    config: nitroConfig({ enclave: { transport: 'vsock', cid: 16, run: { driver: 'nitro-cli', image: AT_HOME } } }),
    breakIt: ({ status, files }) => {
      status.set(AT_HOME, { bytes: 1, readable: true, writable: true });
      files.set(AT_HOME, '.eif…');
    },
  },
  {
    what: 'a file that is no image',
    check: 'enclave-image',
    found: /is not an enclave image/,
    advice: /eif verify/,
    breakIt: ({ files }) => files.set(IMAGE, '<html>'),
  },
  {
    what: 'memory of which the root file system takes a little more than 40 %',
    check: 'root-file-system',
    outcome: 'warning',
    found: /takes 1229\.0 of 3072 MiB \(40\.0 %\)/,
    advice: /memoryMiB: 3073/,
    breakIt: ({ files }) => files.set(IMAGE, imageOf({ unpackedMiB: 1_229 })),
  },
  {
    what: 'memory of which the root file system takes exactly half',
    check: 'root-file-system',
    outcome: 'warning',
    found: /takes 1536\.0 of 3072 MiB \(50\.0 %\)/,
    breakIt: ({ files }) => files.set(IMAGE, imageOf({ unpackedMiB: 1_536 })),
  },
  {
    what: 'memory of which the root file system takes more than half',
    check: 'root-file-system',
    found: /not boot with less than 3074 MiB/,
    advice: /memoryMiB: 3843/,
    breakIt: ({ files }) => files.set(IMAGE, imageOf({ unpackedMiB: 1_537 })),
  },
  {
    what: 'memory that is too small on QEMU too',
    check: 'root-file-system',
    found: /170\.0 of 256 MiB/,
    config: qemuConfig({ memoryMiB: 256 }),
    breakIt: () => undefined,
  },
  {
    what: 'an image that does not say how large it is unpacked',
    check: 'root-file-system',
    outcome: 'skipped',
    found: /does not say/,
    breakIt: ({ files }) => files.set(IMAGE, SILENT_IMAGE),
  },
  {
    what: 'a certificate that ends within 30 days',
    check: 'certificates',
    outcome: 'warning',
    found: /^server \(CN=server\) ends 2026-01-30T/,
    advice: /keys seal/,
    breakIt: ({ files }) => files.set(IMAGE, imageOf({ endsInDays: 29 })),
  },
  {
    what: 'a certificate that has ended',
    check: 'certificates',
    found: /^server \(CN=server\) ended 2025-12-31T/,
    advice: /build the image/,
    breakIt: ({ files }) => files.set(IMAGE, imageOf({ endsInDays: -1 })),
  },
  {
    what: 'an image that does not say when its certificates end',
    check: 'certificates',
    outcome: 'skipped',
    found: /does not say/,
    breakIt: ({ files }) => files.set(IMAGE, SILENT_IMAGE),
  },
];
