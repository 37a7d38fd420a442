/** What sections of an `enclave.yaml` with `workload: app` say against each other. */
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { matcherOf, networkFault } from '../../wire/networks.ts';
import { type AppEgress, egressPortOf } from './egress.ts';
import { equalPorts } from './equal-ports.ts';
import { hostsFaults } from './hosts-faults.ts';
import { type IngressPort, vsockPortOf } from './ingress.ts';
import type { KmsProxySection } from './kms-proxy.ts';
import { mayMeet } from './loopback.ts';

type Path = readonly string[];

interface Fault {
  readonly path: Path;
  readonly message: string;
}

interface Sections {
  readonly ingress: Readonly<Record<string, IngressPort>>;
  readonly egress: AppEgress;
  readonly kmsProxy?: KmsProxySection | undefined;
  readonly ports: Readonly<Record<string, number>>;
  readonly entropy: { readonly kms?: 'required' | 'optional' | 'off' | undefined };
}

/** Where the enclave itself listens for its programs. */
function doorsOf({ egress, kmsProxy }: Sections): readonly (readonly [Path, TcpEndpoint])[] {
  const { http, routes } = egress;
  return [
    ...Object.entries(routes).map(([name, { listen }]) => [['egress', 'routes', name, 'listen'], listen] as const),
    ...(http === undefined ? [] : [[['egress', 'http', 'listen'], http.listen] as const]),
    ...(http?.transparent === undefined
      ? []
      : [[['egress', 'http', 'transparent', 'dns'], http.transparent.dns] as const]),
    ...(kmsProxy === undefined ? [] : [[['kmsProxy', 'listen'], kmsProxy.listen] as const]),
  ];
}

/** Clients from outside must never reach what is there for programs: KMS under the enclave's credentials, the ways out. */
function ingressFaults(sections: Sections): Fault[] {
  const doors = doorsOf(sections);
  return Object.entries(sections.ingress).flatMap(([name, { to }]) =>
    doors
      .filter(([, door]) => mayMeet(to, door))
      .map(([path]) => ({
        path: ['ingress', name, 'to'],
        message: `leads to ${path.join('.')}, which is for programs in the enclave alone`,
      })),
  );
}

/** Nor the loopback addresses that stand for names outside. */
function wayThroughFaults({ ingress, egress }: Sections): Fault[] {
  const network = egress.http?.transparent?.network;
  if (network === undefined || networkFault(network) !== undefined) return [];
  const isInside = matcherOf([network]);
  return Object.entries(ingress)
    .filter(([, { to }]) => isInside(to.host))
    .map(([name]) => ({
      path: ['ingress', name, 'to'],
      message: 'leads out again, by egress.http.transparent.network',
    }));
}

/** A name would get an address that is listened on already. */
function poolFaults(sections: Sections): Fault[] {
  const network = sections.egress.http?.transparent?.network;
  if (network === undefined || networkFault(network) !== undefined) return [];
  const isInside = matcherOf([network]);
  return doorsOf(sections)
    .filter(([path, { host }]) => path.at(-1) !== 'dns' && isInside(host))
    .map(([path]) => ({ path, message: 'lies in egress.http.transparent.network, whose addresses stand for names' }));
}

function listenFaults(sections: Sections): Fault[] {
  const doors = doorsOf(sections);
  return doors.flatMap(([path, door], index) => {
    const other = doors.slice(0, index).find(([, before]) => mayMeet(before, door));
    return other === undefined ? [] : [{ path, message: `is the address of ${other[0].join('.')} too` }];
  });
}

function entropyFaults({ entropy, kmsProxy }: Sections): Fault[] {
  if (kmsProxy !== undefined || entropy.kms === undefined || entropy.kms === 'off') return [];
  return [{ path: ['entropy', 'kms'], message: 'must be off or left out without section kmsProxy' }];
}

export function appFaults(sections: Sections): readonly Fault[] {
  return [
    ...ingressFaults(sections),
    ...wayThroughFaults(sections),
    ...listenFaults(sections),
    ...poolFaults(sections),
    ...hostsFaults(sections.egress.routes),
    ...equalPorts(sections, vsockPortOf, egressPortOf),
    ...entropyFaults(sections),
  ];
}
