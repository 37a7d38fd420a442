/**
 * What somebody says that an enclave should show: registers, and the runtime statement behind PCR16. Published measurements, files of
 * measurements and single values on a command line all become this.
 */
import type { PcrIndex } from '../wire/brands.ts';
import type { RuntimeStatement } from './runtime/statement.ts';

export interface ExpectedMeasurements {
  /** 48 bytes each. */
  readonly pcrs: ReadonlyMap<PcrIndex, Buffer>;
  /** PCR16 follows from it. */
  readonly statement?: RuntimeStatement;
}
