/**
 * `enclave.run` in host-proxy.yaml: how `acra-enclave run` starts the enclave's machine, watches it and starts it again.
 * nitro-cli's own limits: nitro-formats, "nitro-cli limits"; its wait for the heartbeat is 180 s for every image up to 6 GiB
 * (aws-nitro-enclaves-cli, calculate_necessary_timeout).
 */
import { z } from 'zod';
import { enclaveSchema } from './enclave.ts';
import { durationMs } from './fields.ts';

const NITRO_CLI_HEARTBEAT_MS = 180_000;

/**
 * Longer than all boot phases that come after the heartbeat may take by default: the enclave's own deadlines, which know
 * what they wait for, come first, and a database that is away for some minutes costs no new boot.
 */
const READY_MARGIN_MS = 30_000;
const DEFAULT_READY_MS =
  Object.values(enclaveSchema.shape.deadlines.parse({})).reduce((sumMs, ms) => sumMs + ms, 0) + READY_MARGIN_MS;

export const DEFAULT_STOP_GRACE_MS = 30_000;

const absoluteFile = z.string().regex(/^\/[^\0]+$/, { error: 'must be an absolute path' });

/** A path, or a name that is looked for in PATH. */
const program = (defaultName: string) =>
  z
    .string()
    .regex(/^(\/[^\0]+|[A-Za-z0-9._-]+)$/, { error: 'must be an absolute path or the name of a program in PATH' })
    .default(defaultName);

const restart = z
  .strictObject({
    policy: z
      .enum(['never', 'on-failure', 'always'])
      .default('on-failure')
      .describe('on-failure: unless the enclave ended in order'),
    minMs: durationMs(1_000).describe('the wait before the first restart; doubles with each further one'),
    maxMs: durationMs(60_000).describe('the longest wait'),
    maxRestarts: z.int().min(0).max(1_000).default(5).describe('within windowMs; one more end and the daemon gives up'),
    windowMs: durationMs(600_000),
  })
  .prefault({});

const common = {
  image: absoluteFile.describe('the enclave image (EIF)'),
  cpuCount: z.int().min(1).max(256).default(2).describe('whole cores: an even number where cores have two threads'),
  memoryMiB: z.int().min(64).max(4_194_304).default(1_024).describe('for nitro-cli at least 4 times the image'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/, { error: 'must be letters, digits and hyphens, at most 63' })
    .default('acra-enclave')
    .describe('told apart by it from other enclaves of this parent'),
  heartbeatMs: durationMs(NITRO_CLI_HEARTBEAT_MS).describe('from the start to the boot heartbeat (byte 0xB7)'),
  readyMs: durationMs(DEFAULT_READY_MS).describe(
    'from the heartbeat to `serving`; more than all `deadlines` of enclave.yaml together',
  ),
  lostMs: durationMs(60_000).describe('an enclave that stays lost for this long is ended, as if it had failed'),
  stopGraceMs: durationMs(DEFAULT_STOP_GRACE_MS).describe('for the enclave to stop in order before it is terminated'),
  restart,
  consoleFile: absoluteFile.optional().describe("append the enclave's serial console here"),
};

export const nitroCliRun = z
  .strictObject({
    driver: z.literal('nitro-cli', {
      error: 'transport vsock is run by the driver nitro-cli; for qemu write `transport: vsock-uds`',
    }),
    ...common,
    debug: z
      .boolean()
      .default(false)
      .describe('gives a console; the enclave then attests PCRs of zeros, so KMS refuses it'),
    program: program('nitro-cli'),
  })
  .describe('`acra-enclave run`: start the enclave with nitro-cli');

export const qemuRun = z
  .strictObject({
    driver: z.literal('qemu', {
      error: 'transport vsock-uds is run by the driver qemu; for nitro-cli write `transport: vsock`',
    }),
    ...common,
    program: program('qemu-system-x86_64'),
    firmware: absoluteFile.optional().describe('the folder of qboot.rom and linuxboot_dma.bin; default: QEMU knows'),
    vhostDeviceVsock: program('vhost-device-vsock'),
  })
  .describe("`acra-enclave run`: start the enclave on QEMU's nitro-enclave machine, for laptops and tests");

export type NitroCliRun = z.output<typeof nitroCliRun>;
export type QemuRun = z.output<typeof qemuRun>;
export type EnclaveRun = NitroCliRun | QemuRun;
