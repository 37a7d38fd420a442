/** What the life cycle needs of the rest of host-proxy. */
import type { Logger } from '../../runtime/log.ts';
import type { EnclaveView } from '../enclave/view.ts';

export interface LifecycleHost {
  readonly view: EnclaveView;
  readonly logger: Logger;
  /** Asks the enclave for an ordered stop; false when it is not connected. */
  requestEnclaveStop(): boolean;
  /** The machine is gone: nothing more may be taken for its word. */
  enclaveEnded(): void;
}
