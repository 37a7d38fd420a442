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
import type { Platform } from '../../supervisor/platform.ts';
import type { Confinement } from '../../system/processes/confinement.ts';
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

const EMULATED_RNG = 'emulated-nsm';

export interface SimulationOptions {
  readonly stateFolder: string;
  readonly enclaveFolder: string;
  readonly acraProgram: AcraProgram;
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
