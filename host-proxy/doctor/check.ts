/** What a check of the parent instance is, and what it may say. */
import type { HostProxyConfig } from '../../config/host-proxy.ts';
import type { ParentSystem } from './parent-system.ts';

type Outcome = 'ok' | 'warning' | 'failure' | 'skipped';

export interface Finding {
  readonly outcome: Outcome;
  /** What is so, or why it could not be told. */
  readonly found: string;
  /** What to do about it: always there with a warning or a failure. */
  readonly advice?: string;
}

export const ok = (found: string): Finding => ({ outcome: 'ok', found });
export const skipped = (why: string): Finding => ({ outcome: 'skipped', found: why });
export const warning = (found: string, advice: string): Finding => ({ outcome: 'warning', found, advice });
export const failure = (found: string, advice: string): Finding => ({ outcome: 'failure', found, advice });

export interface CheckContext {
  readonly config: HostProxyConfig;
  readonly system: ParentSystem;
  /** Aborts at the check's deadline. */
  readonly signal: AbortSignal;
}

export interface Check {
  /** Stable: programs may look for it in `--json`. */
  readonly name: string;
  readonly checked: string;
  /** What to do when it throws, or does not end in time: either counts as a failure. */
  readonly advice?: string;
  /**
   * It looks at this machine alone, so it also tells something where there is no valid host-proxy.yaml yet. Without one
   * nothing is dialled.
   */
  readonly needsNoConfig?: true;
  examine(context: CheckContext): Finding | Promise<Finding>;
}

/** What to do about a file that is hidden from this user. */
export const AS_ROOT = 'Run the doctor as root: `sudo acra-enclave doctor`.';

/** The parent is to be a Nitro instance unless the enclave is behind a unix socket. */
const isNitro = ({ config }: CheckContext) => config.enclave.transport === 'vsock';

/** A check that only a Nitro instance can pass. */
export function onNitro(check: Check): Check {
  return {
    ...check,
    examine: (context) =>
      isNitro(context) ? check.examine(context) : skipped('the enclave does not run on Nitro: `enclave.transport`'),
  };
}
