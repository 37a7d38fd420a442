/** A parent instance as a c6a.xlarge should be; tests break one thing at a time. */
import type { HostProxyConfig } from '../../../config/host-proxy.ts';
import { hostProxySchema } from '../../../config/host-proxy.ts';
import type { FileStatus, HttpAnswer, HttpQuestion, ParentSystem } from '../../../host-proxy/doctor/parent-system.ts';
import type { AppPorts } from '../../../wire/app-ports.ts';
import type { CertificateRole } from '../../../wire/certificate-end.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { imageStart } from './image-start.ts';

export const IMAGE = '/var/lib/acra-enclave/acra-enclave.eif';
const MIB = 1024 * 1024;
const OPEN: FileStatus = { bytes: 0, readable: true, writable: true };

const IMAGE_BYTES = 60 * MIB;
const DAY_MS = 86_400_000;

/** An image whose root file system and server certificate are as said; by default fine for nitroConfig and a year. */
export function imageOf({
  unpackedMiB = 170,
  endsInDays = 365,
  app,
  kernel,
}: {
  unpackedMiB?: number;
  endsInDays?: number;
  app?: AppPorts;
  kernel?: string;
}): string {
  const nowMs = new FakeClock().nowMs();
  const end = (certificate: CertificateRole, days: number) => ({
    certificate,
    subject: `CN=${certificate}`,
    endsMs: nowMs + days * DAY_MS,
  });
  const certificateEnds = [end('client-ca', 3_650), end('server', endsInDays), end('database-ca', 3_650)];
  return imageStart({ unpackedBytes: unpackedMiB * MIB, certificateEnds, app }, IMAGE_BYTES, kernel);
}

export const SILENT_IMAGE = imageStart(undefined, IMAGE_BYTES);

export interface FakeParent {
  readonly clock: FakeClock;
  /** Texts of files; their status is OPEN unless `status` says otherwise. */
  readonly files: Map<string, string>;
  readonly status: Map<string, FileStatus>;
  /** Not for this user to look at; what there is anyway is in none of the maps then. */
  readonly hidden: Set<string>;
  readonly folders: Map<string, readonly string[]>;
  /** By command line. */
  readonly commands: Map<string, { readonly code: number; readonly stdout: string }>;
  vsockError: string | undefined;
  /** May throw, or wait for its signal. */
  ask: (question: HttpQuestion, signal: AbortSignal) => Promise<HttpAnswer>;
  resolve: (host: string, signal: AbortSignal) => Promise<readonly string[]>;
  date: (signal: AbortSignal) => Promise<string | undefined>;
  postgres: (signal: AbortSignal) => Promise<string>;
}

export const nobody = (_question: unknown, signal?: AbortSignal) =>
  new Promise<never>((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));

export const ROLE_CREDENTIALS = {
  Code: 'Success',
  LastUpdated: '2026-01-01T00:00:00Z',
  Type: 'AWS-HMAC',
  AccessKeyId: 'ASIAAAAAAAAAAAAAAAAA',
  SecretAccessKey: 'secret-access-key',
  Token: 'session-token',
  Expiration: '2099-01-01T00:00:00Z',
};

/** IMDSv2 alone, with hop limit 1, and a role. */
export async function healthyImds(question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  if ((question.minimumTtl ?? 1) > 1) return nobody(question, signal);
  if (question.method === 'PUT') return { status: 200, body: 'TOKEN' };
  if (question.headers['x-aws-ec2-metadata-token'] !== 'TOKEN') return { status: 401, body: '' };
  if (question.path.endsWith('/security-credentials/')) return { status: 200, body: 'acra-role\n' };
  return { status: 200, body: JSON.stringify(ROLE_CREDENTIALS) };
}

export function healthyParent(): FakeParent {
  const clock = new FakeClock();
  return {
    clock,
    files: new Map([
      ['/proc/sys/kernel/osrelease', '6.12.103-127.188.amzn2023.x86_64\n'],
      ['/sys/module/nitro_enclaves/parameters/ne_cpus', '1,3\n'],
      ['/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages', '2\n'],
      ['/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages', '2\n'],
      ['/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages', '512\n'],
      ['/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages', '512\n'],
      ['/sys/kernel/mm/hugepages/hugepages-64kB/nr_hugepages', '1000000\n'],
      ['/sys/kernel/mm/hugepages/hugepages-64kB/free_hugepages', '1000000\n'],
      ['/sys/devices/virtual/dmi/id/sys_vendor', 'Amazon EC2\n'],
      ['/sys/devices/virtual/dmi/id/product_name', 'c6a.xlarge\n'],
      ['/etc/passwd', 'root:x:0:0::/root:/bin/sh\nacra-enclave:x:990:990::/:/usr/sbin/nologin\n'],
      ['/etc/group', 'root:x:0:\nne:x:991:acra-enclave\n'],
      [IMAGE, imageOf({})],
    ]),
    status: new Map([
      ['/dev/nitro_enclaves', OPEN],
      ['/dev/vsock', OPEN],
      ['/sys/module/nitro_enclaves', OPEN],
      ['/run/nitro_enclaves', OPEN],
      ['/var/log/nitro_enclaves', OPEN],
      [IMAGE, { ...OPEN, bytes: IMAGE_BYTES }],
    ]),
    hidden: new Set(),
    folders: new Map([['/sys/kernel/mm/hugepages', ['hugepages-1048576kB', 'hugepages-2048kB', 'hugepages-64kB']]]),
    commands: new Map([
      ['nitro-cli --version', { code: 0, stdout: 'Nitro CLI 1.4.2\n' }],
      ['timedatectl show --property=NTPSynchronized --value', { code: 0, stdout: 'yes\n' }],
      [
        'qemu-system-x86_64 -machine help',
        { code: 0, stdout: 'microvm   microvm\nnitro-enclave        AWS Nitro Enclave\n' },
      ],
      [`runuser -u acra-enclave -- sh -c test -r "$1"; echo "$?" sh ${IMAGE}`, { code: 0, stdout: '0\n' }],
      ['vhost-device-vsock --version', { code: 0, stdout: 'vhost-device-vsock 0.3.0\n' }],
    ]),
    vsockError: undefined,
    ask: healthyImds,
    resolve: async () => ['10.0.0.7'],
    date: async () => new Date(clock.nowMs()).toUTCString(),
    postgres: async () => 'S',
  };
}

export function asSystem(parent: FakeParent): ParentSystem {
  return {
    clock: parent.clock,
    readText: (path) => parent.files.get(path),
    readRange: (path, offset, bytes) =>
      Buffer.from(parent.files.get(path) ?? '', 'latin1').subarray(offset, offset + bytes),
    status: (path) => parent.status.get(path),
    isHidden: (path) => parent.hidden.has(path),
    list: (folder) => parent.folders.get(folder) ?? [],
    vsockError: () => parent.vsockError,
    run: async (program, args) => parent.commands.get([program, ...args].join(' ')),
    resolve: (host, signal) => parent.resolve(host, signal),
    ask: (_upstream, question, signal) => parent.ask(question, signal),
    dateOverTls: (_upstream, signal) => parent.date(signal),
    postgresTlsAnswer: (_upstream, signal) => parent.postgres(signal),
  };
}

const COMMON = {
  version: 1,
  database: { connect: 'tcp://db.internal:5432' },
  kms: { connect: 'tcp://kms.eu-central-1.amazonaws.com:443' },
};

export function nitroConfig(changes: object = {}): HostProxyConfig {
  const run = { driver: 'nitro-cli', image: IMAGE, memoryMiB: 3072, cpuCount: 2 };
  return hostProxySchema.parse({ ...COMMON, enclave: { transport: 'vsock', cid: 16, run }, ...changes });
}

export function qemuConfig(run: object = {}): HostProxyConfig {
  const enclave = { transport: 'vsock-uds', cid: 4, path: '/run/vm', run: { driver: 'qemu', image: IMAGE, ...run } };
  return hostProxySchema.parse({ ...COMMON, enclave });
}
