/** What the supervisor has before the first phase runs. */
import type { AcraProgram } from '../../acra/obtain/program.ts';

export interface BootStart {
  /** The measured folder: enclave.yaml and everything that it names. */
  readonly folder: string;
  readonly acraProgram: AcraProgram;
}
