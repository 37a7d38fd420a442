/**
 * An ordinary process in the place of an enclave: unix sockets in the hybrid form for vsock, an emulated NSM whose
 * documents verify only under its own root. No production build contains this file.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { nsmOver } from '../../attestation/nsm/exchange.ts';
import { EmulatedNsm } from '../../emulator/nsm/emulated-nsm.ts';
import { loadOrCreateNsmRoot } from '../../emulator/nsm/root.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { Application, Platform, ProgramRoom } from '../../supervisor/platform.ts';
import type { Confinement } from '../../system/processes/confinement.ts';
import { endGroup } from '../../system/processes/process-group.ts';
import { CID_PARENT } from '../../wire/brands.ts';
import { readSimulatedParent, simulatedFolders } from './folders.ts';
import { measureSimulatedEnclave, simulatedModuleId } from './measure.ts';

/** The user's own machine: a folder apart, and no other bound. */
function folderConfinement(folder: string): Confinement {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    folder,
    user: undefined,
    openDoor: () => folder,
    enclose: () => undefined,
    clear: () => undefined,
    release: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Programs of this machine, as the user who started it all. Their bounds and hosts entries are an enclave's alone. */
function simulatedApplication(): Application {
  return {
    root: undefined,
    room: () => processGroupRoom(),
    writeHosts(entries, logger) {
      for (const { name, address } of entries)
        logger.log('warn', 'simulation.no-hosts-entry', {
          name,
          address,
          reason: 'this machine’s /etc/hosts is not ours',
        });
    },
    writeResolver(_text, logger) {
      logger.log('warn', 'simulation.no-resolver', { reason: 'this machine’s /etc/resolv.conf is not ours' });
    },
  };
}

/** A launched process has a group of its own (system/processes/launch.ts), in which what it starts stays unless it leaves. */
function processGroupRoom(): ProgramRoom {
  let group: number | undefined;
  return {
    user: undefined,
    enclose(pid) {
      group = pid;
    },
    join: () => undefined,
    clear() {
      if (group !== undefined) endGroup(group, 'SIGKILL');
    },
    release: () => undefined,
    outOfMemoryKills: () => 0,
  };
}

const EMULATED_RNG = 'emulated-nsm';

export interface SimulationOptions {
  readonly stateFolder: string;
  readonly enclaveFolder: string;
  /** Undefined where enclave.yaml names another workload. */
  readonly acraProgram: AcraProgram | undefined;
}

export async function simulatedPlatform(options: SimulationOptions): Promise<Platform> {
  const { vsockPath, nsmFolder, runtimeFolder } = simulatedFolders(options.stateFolder);
  const root = await loadOrCreateNsmRoot(nsmFolder);
  const pcrs = measureSimulatedEnclave(options.enclaveFolder, options.acraProgram);
  const parent = readSimulatedParent(options.stateFolder);
  return {
    simulated: true,
    runtimeFolder,
    // The machine is the user's own.
    prepareMachine: async () => ({
      confine: (name) => folderConfinement(join(runtimeFolder, name)),
      openApplication: simulatedApplication,
      stop: async () => undefined,
    }),
    openNsm: async () =>
      nsmOver(
        new EmulatedNsm({
          root,
          moduleId: simulatedModuleId(options.enclaveFolder),
          pcrs,
          ...(parent && { parent }),
          clock: systemClock,
          random: systemRandom,
        }),
      ),
    requiredHardwareRng: EMULATED_RNG,
    currentHardwareRng: async () => EMULATED_RNG,
    // Any user may mix into the pool; crediting it is for PID 1 in an enclave.
    addEntropy: async (bytes) => writeFileSync('/dev/urandom', bytes),
    hypervisorTimeMs: () => undefined,
    // The laptop's clock is not ours to set.
    setWallClock: async () => undefined,
    sendsHeartbeat: false,
    parentCids: [CID_PARENT],
    parentPort: (port) => ({ kind: 'vsock-uds-guest', path: vsockPath, port, cid: CID_PARENT }),
    enclavePort: (port) => ({ kind: 'vsock-uds-guest', path: vsockPath, port, cid: CID_PARENT }),
  };
}
