/** What the supervisor has before the first phase runs. */
import type { AcraProgram } from '../../acra/obtain/program.ts';
import type { ControlConnection } from '../control/connection.ts';

export interface BootStart {
  /** The measured folder: enclave.yaml and everything that it names. */
  readonly folder: string;
  readonly control: ControlConnection;
  /** Undefined where the enclave runs another application. */
  readonly acraProgram: AcraProgram | undefined;
}

export interface AcraStart extends BootStart {
  readonly acraProgram: AcraProgram;
}
