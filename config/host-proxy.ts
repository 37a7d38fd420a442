/**
 * `host-proxy.yaml`: what the daemon on the parent instance forwards. It is not measured and need not be trusted: the
 * worst that a wrong value here can do is deny service.
 */
import { z } from 'zod';
import { toCid } from '../wire/brands.ts';
import { MAX_ENCLAVE_FRAME_BYTES } from '../wire/control/frame.ts';
import type { TcpEndpoint, UnixEndpoint } from '../wire/endpoint.ts';
import { MAX_UNIX_PATH_BYTES } from '../wire/endpoint.ts';
import { APP_ROUTES, ROUTES } from '../wire/routes.ts';
import { appHostFaults, appHostSections } from './app/app-host.ts';
import { kmsHostFault } from './aws-names.ts';
import { nitroCliRun, qemuRun } from './enclave-run.ts';
import { address, count, DATABASE_HEADROOM, durationMs, FRONT_HEADROOM, routeLimitFields } from './fields.ts';
import { KMS_ROUTES, type KmsRoute } from './key-keeper.ts';
import { portTable, routeSections } from './route-fields.ts';

export const DEFAULT_RUNTIME_FOLDER = '/run/acra-enclave';

/** Nitro gives enclaves CIDs above 3 (nitro-formats, nitro-cli limits). */
const guestCid = z.int().min(4).max(0xffff_fffe).transform(toCid).describe("the enclave's CID");

const absolutePath = z
  .string()
  .regex(/^\//, { error: 'must be an absolute path' })
  .refine((path) => Buffer.byteLength(path) <= MAX_UNIX_PATH_BYTES, { error: `at most ${MAX_UNIX_PATH_BYTES} bytes` });

/** Room for the names of the sockets that lie in the folder. */
const MAX_RUNTIME_FOLDER_BYTES = MAX_UNIX_PATH_BYTES - '/command.sock'.length;

const MAX_FOLDER_CHARACTERS = 1_024;

const enclave = z.discriminatedUnion('transport', [
  z.strictObject({ transport: z.literal('vsock'), cid: guestCid, run: nitroCliRun.optional() }),
  z.strictObject({
    transport: z.literal('vsock-uds'),
    cid: guestCid,
    path: absolutePath.describe('the hybrid socket of QEMU, Firecracker or a simulated enclave'),
    run: qemuRun.optional(),
  }),
]);

/** Of maxConnections: what one address may not take. Generous, for whole offices and load balancers come from one. */
const OTHERS_SHARE = 0.1;

/** They cost a descriptor each. More than a listener's queue (1,024) holds, so that one that speaks late outlives a burst. */
const SILENT_FOR_A_PLACE = 4;

/** One address or IPv6 /64. Only the public route knows its peers' addresses. */
const limits = z
  .strictObject({
    ...routeLimitFields(FRONT_HEADROOM),
    maxConnectionsPerAddress: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe(
        'of the public route, from one IPv4 address or IPv6 /64; default: nine tenths of maxConnections. Clients behind one ' +
          'NAT or load balancer share it: set it to maxConnections where all of them come from one address',
      ),
    maxSilent: z
      .int()
      .min(1)
      .max(200_000)
      .optional()
      .describe(
        'of the public route, beside these: connections that have not sent the first 8 bytes of a session; over it the oldest is ' +
          'closed. Default: four times maxConnections',
      ),
    maxSilentPerAddress: z
      .int()
      .min(1)
      .max(200_000)
      .optional()
      .describe('the same for one address. Default: half of maxSilent'),
  })
  .transform((limits) => {
    const { maxConnections, maxSilent = SILENT_FOR_A_PLACE * maxConnections } = limits;
    return {
      ...limits,
      maxSilent,
      maxConnectionsPerAddress:
        limits.maxConnectionsPerAddress ?? maxConnections - Math.floor(maxConnections * OTHERS_SHARE),
      maxSilentPerAddress: limits.maxSilentPerAddress ?? Math.ceil(maxSilent / 2),
    };
  })
  .prefault({});

/** With those of the public port (ingress.limits.attestation) no more than the enclave answers in a second (supervisor/attestation/attestor.ts). */
const attestation = z
  .strictObject({
    listen: address('tcp'),
    maxPerSecond: count(25, 1_000).describe(
      'requests of all addresses together, in the long run; twice as many at once',
    ),
    maxPerSecondPerAddress: count(10, 1_000).describe('the same for one IPv4 address or IPv6 /64'),
  })
  .optional()
  .describe('where anybody may ask over HTTP what the enclave is (/v1/attestation); default: nowhere');

const health = z
  .strictObject({ listen: address('tcp') })
  .optional()
  .describe(
    'where load balancers ask whether to send sessions here: /readyz and /healthz, one word each; may be an address of the ' +
      'network, which admin.listen should not be. Default: nowhere',
  );

/** Absolute, but nothing is bound in it. */
const folder = z
  .string()
  .regex(/^\//, { error: 'must be an absolute path' })
  .max(MAX_FOLDER_CHARACTERS, { error: `at most ${MAX_FOLDER_CHARACTERS} characters` });

const keys = z
  .strictObject({ folder: folder.describe('key sets with their transcripts, and the audit log of key operations') })
  .optional()
  .describe('with `keys.source: parent` in enclave.yaml, where this instance keeps the keys; default: nowhere');

const logs = z
  .strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error', 'fatal']).default('info'),
    file: absolutePath.optional().describe('append JSON lines here; default: standard output'),
  })
  .prefault({});

/** Of either workload, but for what follows from the routes. */
const commonSections = {
  version: z.literal(1),
  enclave,
  admin: z
    .strictObject({ listen: address('tcp').prefault('tcp://127.0.0.1:9464') })
    .prefault({})
    .describe('/healthz, /readyz, /metrics and /status'),
  attestation,
  health,
  limits: limits.describe(
    `of each route; the database's has ${DATABASE_HEADROOM} connections more, for the enclave's health probe`,
  ),
  logs,
  runtimeFolder: absolutePath
    .refine((path) => Buffer.byteLength(path) <= MAX_RUNTIME_FOLDER_BYTES, {
      error: `at most ${MAX_RUNTIME_FOLDER_BYTES} bytes`,
    })
    .prefault(DEFAULT_RUNTIME_FOLDER)
    .describe('for the private sockets of the control connection and of `acra-enclave stop`, `status` and so on'),
  statusStaleMs: durationMs(20_000).describe('an enclave that has been silent for this long counts as not ready'),
  drainMs: durationMs(10_000).describe('how long open connections may finish when the daemon stops'),
  maxControlFrameBytes: count(1024 * 1024, 16 * 1024 * 1024, MAX_ENCLAVE_FRAME_BYTES).describe(
    'the longest message that is taken from the enclave',
  ),
};

type KmsSections = { readonly [Route in KmsRoute]?: { readonly connect: TcpEndpoint | UnixEndpoint } | undefined };

function addKmsFaults(sections: KmsSections, context: z.core.$RefinementCtx): void {
  for (const route of KMS_ROUTES) {
    const connect = sections[route]?.connect;
    const fault = connect?.kind === 'tcp' ? kmsHostFault(connect.host) : undefined;
    if (fault !== undefined) context.addIssue({ code: 'custom', path: [route, 'connect'], message: fault });
  }
}

export const acraHostSchema = z
  .strictObject({
    ...commonSections,
    workload: z.literal('acra').optional(),
    ...routeSections(ROUTES),
    keys,
    ports: portTable(ROUTES),
  })
  .superRefine((sections, context) => {
    if (sections.kms === undefined && sections.keys === undefined) {
      const message =
        'must be given; only an enclave whose keys operators keep needs no KMS, and then section keys is here';
      context.addIssue({ code: 'custom', path: ['kms'], message });
    }
    addKmsFaults(sections, context);
  })
  .describe('host-proxy.yaml: what the parent instance forwards; not trusted');

export const appHostSchema = z
  .strictObject({
    ...commonSections,
    workload: z.literal('app').describe('as in enclave.yaml'),
    ...routeSections(APP_ROUTES),
    ...appHostSections,
    ports: portTable(APP_ROUTES),
  })
  .superRefine((sections, context) => {
    for (const { path, message } of appHostFaults(sections))
      context.addIssue({ code: 'custom', path: [...path], message });
    addKmsFaults(sections, context);
  })
  .describe('host-proxy.yaml of an enclave with workload: app; not trusted');

export const hostProxySchema = z.discriminatedUnion('workload', [acraHostSchema, appHostSchema], {
  error: 'must be acra (as when it is left out) or app',
});

type AcraHostConfig = z.output<typeof acraHostSchema>;
export type AppHostConfig = z.output<typeof appHostSchema>;
export type HostProxyConfig = AcraHostConfig | AppHostConfig;

/** Where this instance keeps the enclave's keys. */
export function keysFolderOf(config: HostProxyConfig): string | undefined {
  return config.workload === 'app' ? undefined : config.keys?.folder;
}
