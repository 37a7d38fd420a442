/** Runs the checks, each within a deadline, and gathers what they found in the order of the table. */
import type { HostProxyConfig } from '../../config/host-proxy.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { describeError } from '../../runtime/errors.ts';
import type { Check, Finding } from './check.ts';
import { failure, ok, skipped } from './check.ts';
import { CHECKS } from './checks.ts';
import type { ParentSystem } from './parent-system.ts';

export interface CheckReport extends Finding {
  readonly name: string;
  readonly checked: string;
}

/** The configuration, or why there is none. */
export type LoadedConfig =
  | { readonly file: string; readonly config: HostProxyConfig }
  | { readonly file: string; readonly error: unknown; readonly advice: string };

const CHECK_TIMEOUT_MS = 5_000;
const UNEXPECTED = 'Look at what the message names; if it says EACCES or EPERM, run the doctor as root.';

/** What a parent instance is like as long as nobody says otherwise. */
const DEFAULTS: HostProxyConfig = hostProxySchema.parse({
  version: 1,
  enclave: { transport: 'vsock', cid: 16 },
  database: { connect: 'tcp://localhost:5432' },
  kms: { connect: 'tcp://localhost:443' },
});

function configurationReport(loaded: LoadedConfig): CheckReport {
  const finding =
    'config' in loaded ? ok(`${loaded.file} is valid`) : failure(describeError(loaded.error), loaded.advice);
  return { name: 'configuration', checked: 'host-proxy.yaml', ...finding };
}

async function findingOf(
  check: Check,
  config: HostProxyConfig,
  system: ParentSystem,
  signal: AbortSignal,
): Promise<Finding> {
  using deadline = new Deadline(system.clock, CHECK_TIMEOUT_MS, signal);
  try {
    return await untilAborted(
      Promise.try(() => check.examine({ config, system, signal: deadline.signal })),
      deadline.signal,
    );
  } catch (error) {
    const found = deadline.hasPassed ? `no answer within ${CHECK_TIMEOUT_MS / 1_000} s` : describeError(error);
    return failure(found, check.advice ?? UNEXPECTED);
  }
}

async function reportOf(
  check: Check,
  loaded: LoadedConfig,
  system: ParentSystem,
  signal: AbortSignal,
): Promise<CheckReport> {
  const config = 'config' in loaded ? loaded.config : check.needsNoConfig && DEFAULTS;
  const finding = config ? await findingOf(check, config, system, signal) : skipped('needs a valid host-proxy.yaml');
  return { name: check.name, checked: check.checked, ...finding };
}

/**
 * All checks at once: none changes anything.
 * @param onReport told of each check in the order of the table.
 */
export async function examineParent(
  loaded: LoadedConfig,
  system: ParentSystem,
  signal: AbortSignal,
  onReport: (report: CheckReport) => void,
): Promise<readonly CheckReport[]> {
  const pending = CHECKS.map((check) => reportOf(check, loaded, system, signal));
  const reports: CheckReport[] = [];
  for (const next of [configurationReport(loaded), ...pending]) {
    const report = await next;
    signal.throwIfAborted();
    reports.push(report);
    onReport(report);
  }
  return reports;
}
