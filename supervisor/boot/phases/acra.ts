/** Launches acra-server. It must listen before the phase ends; whether the database answers is the next phase's. */
import type { AcraServerOptions } from '../../../acra/server/options.ts';
import { acraChildSpec, serverKeyFile } from '../../children/acra.ts';
import { AcraOutput } from '../../children/acra-output.ts';
import type { ChildState } from '../../children/child.ts';
import { SupervisedChild } from '../../children/child.ts';
import type { Phase } from '../phase.ts';
import type { BootStart } from '../start.ts';
import type { Configured } from './configuration.ts';
import type { EgressReady } from './egress.ts';
import type { KeystoreReady } from './keystore.ts';
import type { MachineReady } from './machine.ts';
import type { MasterKeyReady } from './master-key.ts';

export interface AcraReady {
  readonly acra: SupervisedChild;
  readonly output: AcraOutput;
  /** Told about every change of acra-server's state after the boot. */
  readonly watchAcra: (notify: (state: ChildState) => void) => void;
}

type Needs = BootStart & MachineReady & Configured & EgressReady & MasterKeyReady & KeystoreReady;

function acraOptions({ config, pathOf, databaseAddress, confinement }: Needs): AcraServerOptions {
  const { acra, database } = config;
  return {
    listen: acra.listen,
    database: { host: databaseAddress.host, port: databaseAddress.port, serverName: database.serverName },
    keysFolder: pathOf(acra.keystore),
    encryptorConfigFile: pathOf(acra.encryptorConfig),
    tls: {
      clientCaFile: pathOf(acra.clientCa),
      serverCertFile: pathOf(acra.certificate),
      serverKeyFile: serverKeyFile(confinement.folder),
      databaseCaFile: pathOf(database.ca),
    },
    clientId: { from: acra.clientIdFrom },
    poisonDetection: acra.poisonDetection,
  };
}

export const acraPhase: Phase<Needs, AcraReady> = {
  name: 'acra',
  deadlineMs: ({ config }) => config.deadlines.acraMs,
  async run(have, { clock, random, logger, signal, defer }) {
    const output = new AcraOutput(logger);
    const subscribers: ((state: ChildState) => void)[] = [];
    const spec = acraChildSpec({
      program: have.acraProgram,
      options: acraOptions(have),
      config: have.config,
      masterKey: have.masterKey,
      serverKey: have.serverKey,
      confinement: have.confinement,
      clock,
      output,
    });
    const acra = new SupervisedChild(spec, {
      clock,
      random,
      logger,
      onState: (state) => {
        for (const notify of subscribers) notify(state);
      },
    });
    defer(() => acra.stop());
    await acra.start(signal);
    return { acra, output, watchAcra: (notify) => subscribers.push(notify) };
  },
};
