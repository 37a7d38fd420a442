/**
 * The machine that an enclave image boots: a real security module, real AF_VSOCK, a kernel of its own. It is the same on
 * Nitro hardware and on QEMU's nitro-enclave machine; nothing in here asks which.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { openNsmDevice } from '../../attestation/nsm/device.ts';
import { nsmOver } from '../../attestation/nsm/exchange.ts';
import type { Logger } from '../../runtime/log.ts';
import {
  creditEntropy,
  RLIMIT_CORE,
  RLIMIT_NOFILE,
  raiseInterface,
  readPtpClockMs,
  setHostName,
  setLimit,
  setWallClock,
} from '../../system/libc/machine-calls.ts';
import { CID_ANY, CID_PARENT, toCid } from '../../wire/brands.ts';
import type { Machine, Platform } from '../platform.ts';
import { openApplication } from './application.ts';
import { Confinements } from './confinement.ts';
import { isMounted, mountFileSystems } from './file-systems.ts';
import { isInit } from './init.ts';
import { applyKernelSettings } from './kernel-settings.ts';
import { OrphanReaper } from './orphans.ts';

const RUNTIME_FOLDER = '/run/acra-enclave';
const HOST_NAME = 'acra-enclave';
/** Of ptp_kvm, the only one in an enclave. */
const PTP_CLOCK = '/dev/ptp0';
const CURRENT_RNG = '/sys/class/misc/hw_random/rng_current';
/** Two descriptors for each relayed connection, at the limits of both daemons, and then some. */
const MAX_OPEN_FILES = 262_144;
/** The host as virtio's specification names it: how the parent appears behind vhost-device-vsock. No enclave has it. */
const CID_HOST = toCid(2);

export function enclavePlatform(): Platform {
  return {
    simulated: false,
    runtimeFolder: RUNTIME_FOLDER,
    prepareMachine,
    openNsm: async () => nsmOver(openNsmDevice()),
    requiredHardwareRng: 'nsm-hwrng',
    currentHardwareRng: async () => readFileSync(CURRENT_RNG, 'utf8').trim(),
    addEntropy: async (bytes) => creditEntropy(bytes),
    hypervisorTimeMs: () => (existsSync(PTP_CLOCK) ? readPtpClockMs(PTP_CLOCK) : undefined),
    setWallClock: async (timeMs) => setWallClock(timeMs),
    // Another init (nitro-cli's) has sent it before it started us.
    sendsHeartbeat: isInit(),
    parentCids: [CID_PARENT, CID_HOST],
    parentPort: (port) => ({ kind: 'vsock', cid: CID_PARENT, port }),
    enclavePort: (port) => ({ kind: 'vsock', cid: CID_ANY, port }),
  };
}

async function prepareMachine(logger: Logger): Promise<Machine> {
  if (!isMounted('/proc')) mountFileSystems();
  raiseInterface('lo');
  setHostName(HOST_NAME);
  setLimit(RLIMIT_CORE, 0);
  setLimit(RLIMIT_NOFILE, MAX_OPEN_FILES);
  applyKernelSettings(logger);
  mkdirSync(RUNTIME_FOLDER, { recursive: true, mode: 0o700 });
  const reaper = new OrphanReaper(logger);
  if (isInit()) await reaper.start(new AbortController().signal);
  const confinements = new Confinements(logger);
  logger.log('info', 'machine.prepared', { pid: process.pid, maxOpenFiles: MAX_OPEN_FILES });
  return {
    confine: (name, bounds, kind) => confinements.confine(name, bounds, kind),
    openApplication: () => openApplication(confinements),
    stop: () => reaper.stop(),
  };
}
