/**
 * `ingress`: one number for the parent's TCP port, vsock and the port inside. Where Enclaver ends TLS it reads key and certificate from
 * the application's image, whatever key_file and cert_file say; here the key is made in the enclave.
 */
import { appVsockPort } from '../../config/app/route-names.ts';
import type { Change, FileKey, Part } from './change.ts';
import { place } from './change.ts';
import { DEFAULT_PROXY_PORT } from './egress.ts';
import type { Manifest } from './manifest.ts';
import { PLACEHOLDERS } from './placeholders.ts';

/** For a port whose own number is one of our own routes'. */
const OTHER_VSOCK_PORTS = 30_000;

type ManifestPort = NonNullable<Manifest['ingress']>[number];

/** Ports that only programs in the enclave may reach, with what listens there. */
function innerPorts({ egress, kms_proxy: kmsProxy, api }: Manifest): ReadonlyMap<number, string> {
  const named: readonly (readonly [number | null | undefined, string])[] = [
    [egress ? (egress.proxy_port ?? DEFAULT_PROXY_PORT) : undefined, 'the egress proxy'],
    [api?.listen_port, 'the attestation service'],
    [kmsProxy?.listen_port, 'the KMS proxy, and who reaches it decrypts as the enclave'],
  ];
  return new Map(named.flatMap(([port, what]) => (port ? [[port, what] as const] : [])));
}

function vsockPortFor(port: number): number {
  return appVsockPort.safeParse(port).success ? port : OTHER_VSOCK_PORTS + port;
}

function tlsChanges(port: ManifestPort, field: string, name: string): readonly Change[] {
  if (!port.tls) return [];
  const why =
    'Enclaver never reads this field: it takes the key from the application’s image, where everybody finds it who has the image. Here the enclave makes its key at each boot, and nobody else has it.';
  const changes = (['key_file', 'cert_file'] as const).map(
    (each): Change => ({
      field: `${field}.tls.${each}`,
      found: port.tls?.[each],
      outcome: 'dropped',
      places: [],
      why: each === 'key_file' ? why : 'As key_file.',
    }),
  );
  const ended: Change = {
    field: `${field}.tls`,
    found: '(present)',
    outcome: 'kept',
    places: [place('enclave', `ingress.${name}.tls`)],
    why: 'TLS ends in the enclave, before the program. One silent client keeps nobody else waiting.',
  };
  return [ended, ...changes];
}

function portChanges(port: number, field: string, name: string): readonly Change[] {
  const vsockPort = vsockPortFor(port);
  const at = (key: string, file: FileKey = 'enclave') => place(file, `ingress.${name}.${key}`);
  const kept: Change = {
    field: `${field}.listen_port`,
    found: port,
    outcome: 'kept',
    places: [at('to'), at('listen', 'host')],
    why: 'The port of the parent, that of vsock and that of the program may differ here.',
  };
  const changed: Change = {
    field: `(vsock port of ${field})`,
    found: port,
    outcome: 'changed',
    becomes: String(vsockPort),
    places: [at('vsockPort'), at('vsockPort', 'host')],
    why: 'One of the enclave’s own routes has the port that Enclaver takes.',
  };
  return vsockPort === port ? [kept] : [kept, changed];
}

const NAMES_WANTED: Change = {
  field: '(names of the server)',
  found: undefined,
  outcome: 'decide',
  places: [place('enclave', 'tls.names')],
  why: 'Write the DNS names and addresses by which clients reach the enclave. Clients that verify attestation need no CA; for others set tls.certificate: operator-ca.',
};

interface Entry {
  readonly port: ManifestPort;
  readonly field: string;
  readonly name: string;
  /** What listens on this port and must not be reached from outside. */
  readonly hidden: string | undefined;
}

function entriesOf(manifest: Manifest): readonly Entry[] {
  const inner = innerPorts(manifest);
  return (manifest.ingress ?? []).map((port, index) => ({
    port,
    field: `ingress.${index}`,
    name: `port-${port.listen_port}`,
    hidden: inner.get(port.listen_port),
  }));
}

function changesOf({ port, field, name, hidden }: Entry): readonly Change[] {
  if (hidden === undefined) return [...portChanges(port.listen_port, field, name), ...tlsChanges(port, field, name)];
  const why = `On this port listens ${hidden}. Nothing of that may be reached from outside.`;
  return [{ field: `${field}.listen_port`, found: port.listen_port, outcome: 'dropped', places: [], why }];
}

function insideOf({ port: { listen_port: port, tls } }: Entry): object {
  const vsockPort = vsockPortFor(port);
  const own = vsockPort === port ? {} : { vsockPort };
  return { to: `tcp://127.0.0.1:${port}`, ...own, tls: tls ? 'ended' : 'passed' };
}

const outsideOf = ({ port: { listen_port: port } }: Entry) => ({
  listen: `tcp://0.0.0.0:${port}`,
  vsockPort: vsockPortFor(port),
});

export function ingressPart(manifest: Manifest): Part {
  const entries = entriesOf(manifest);
  const open = entries.filter(({ hidden }) => hidden === undefined);
  const hasTls = open.some(({ port }) => port.tls);
  const changes = [...entries.flatMap(changesOf), ...(hasTls ? [NAMES_WANTED] : [])];
  if (open.length === 0) return { files: {}, changes };
  const inside = Object.fromEntries(open.map((entry) => [entry.name, insideOf(entry)]));
  const outside = Object.fromEntries(open.map((entry) => [entry.name, outsideOf(entry)]));
  const tls = hasTls ? { tls: { key: 'attested', names: [PLACEHOLDERS.serverName] } } : {};
  return { files: { enclave: { ingress: inside, ...tls }, host: { ingress: outside } }, changes };
}
