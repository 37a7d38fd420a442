/** What the daemon needs of an enclave that has booted, whichever workload it has. */
import type { AnyEnclaveConfig } from '../config/any-enclave.ts';
import type { Relay } from '../relay/relay.ts';
import type { RouteSpec } from '../relay/route.ts';
import type { CertificateEnd } from '../wire/certificate-end.ts';
import type { MetricSample } from '../wire/metrics.ts';
import type { ClockKeeper } from './clock/clock-keeper.ts';
import type { ProbeTargets } from './health.ts';
import type { ServerCertificate } from './tls/server-certificate.ts';
import type { Workload } from './workloads/workload.ts';

/** What the last phase of a boot gives. */
export interface Served {
  /** Ways in for clients, opened now. */
  readonly publicRoutes: readonly RouteSpec[];
  readonly probeTargets: ProbeTargets;
  /** Whoever counts what it does. */
  readonly counting: readonly { readonly samples: readonly MetricSample[] }[];
}

export interface Serving extends Served {
  readonly relay: Relay;
  readonly fleet: Workload;
  readonly config: Pick<AnyEnclaveConfig, 'health' | 'restart'>;
  readonly clockKeeper: ClockKeeper;
  readonly certificateEnds: readonly CertificateEnd[];
  readonly serverCertificate: Pick<ServerCertificate, 'ends'>;
}
