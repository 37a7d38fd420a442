/**
 * Every way between enclave and parent, declared once. Both daemons build their relay routes from this table, and the schemas of
 * both configuration files take ports and sections from it, so a new route is one entry here and nothing else.
 *
 *   dialledBy: enclave    process ─▶ listener inside ─▶ vsock ─▶ the parent's port ─▶ what the parent connects to
 *   dialledBy: parent     client ─▶ the parent's listener ─▶ vsock ─▶ the enclave's port ─▶ what the enclave connects to
 *
 * What this table does not name does not cross vsock: nothing else listens on either side (threat model, "routes").
 */

/** The enclave's end. */
export type Inside =
  /** A unix socket in the supervisor's own folder, where no other user of the enclave may enter. */
  | { readonly kind: 'private' }
  /** A fixed address in the enclave, open to every process there. */
  | { readonly kind: 'address'; readonly address: string }
  /** An address that `enclave.yaml` names; supervisor/routes.ts knows the field. */
  | { readonly kind: 'configured'; readonly field: 'database.listen' | 'acra.tokens' | 'ingress' };

/** The parent's end. */
export type Outside =
  /** A private socket of host-proxy itself. */
  | { readonly kind: 'host-proxy' }
  /** The driver that started the machine listens itself; no relay route. */
  | { readonly kind: 'driver' }
  /** Section `<label>: { connect: … }` of `host-proxy.yaml`. One that is optional and not there is no way out. */
  | { readonly kind: 'connect'; readonly default?: string; readonly isOptional?: true }
  /** Section `<label>: { listen: … }` of `host-proxy.yaml`: where clients of the parent connect. */
  | { readonly kind: 'listen'; readonly default: string };

export interface RouteDeclaration {
  readonly dialledBy: 'enclave' | 'parent';
  /** The vsock port unless both configuration files say otherwise; of `driver` routes, always. */
  readonly port: number;
  readonly inside: Inside;
  readonly outside: Outside;
  /** When the supervisor opens it: before everything, once it has committed to how it runs, for one byte then, with the ways out, at last. */
  readonly opens: 'first' | 'commitment' | 'heartbeat' | 'egress' | 'serving';
  /** What must hold of the first bytes inside the enclave (relay.md, "Preface policies"). */
  readonly preface: 'none' | 'postgres-tls';
  /**
   * The parent says whose connection it is, in a header in front of the bytes (wire/proxy-protocol.ts). Always, so that nothing that a
   * client sends is taken for one; hearsay, for limits and logs. Needs a preface.
   */
  readonly tellsSource?: true;
  /** Whose bounds hold inside the enclave: a handful of the supervisor's own connections, or `enclave.yaml`'s. */
  readonly limits: 'private' | 'egressLimits' | 'ingressLimits';
}

export type RouteTable = Readonly<Record<string, RouteDeclaration>>;

/** Nitro's boot heartbeat (nitro-formats 3.4, step 5); no other route may have this port. */
export const HEARTBEAT_PORT = 9000;

const otherKms = <Port extends number>(port: Port) =>
  ({
    dialledBy: 'enclave',
    port,
    inside: { kind: 'private' },
    outside: { kind: 'connect', isOptional: true },
    opens: 'egress',
    preface: 'none',
    limits: 'private',
  }) as const satisfies RouteDeclaration;

/** Of every enclave. */
const COMMON_ROUTES = {
  /** Log records, status and metrics of the enclave. */
  control: {
    dialledBy: 'enclave',
    port: 9001,
    inside: { kind: 'private' },
    outside: { kind: 'host-proxy' },
    opens: 'first',
    preface: 'none',
    limits: 'private',
  },
  /** Questions that the enclave answers (wire/requests/): what it is, for a nonce. */
  requests: {
    dialledBy: 'parent',
    port: 9002,
    inside: { kind: 'private' },
    outside: { kind: 'host-proxy' },
    opens: 'commitment',
    preface: 'none',
    limits: 'private',
  },
  heartbeat: {
    dialledBy: 'enclave',
    port: HEARTBEAT_PORT,
    inside: { kind: 'private' },
    outside: { kind: 'driver' },
    opens: 'heartbeat',
    preface: 'none',
    limits: 'private',
  },
  kms: {
    dialledBy: 'enclave',
    port: 18443,
    inside: { kind: 'private' },
    outside: { kind: 'connect', isOptional: true },
    opens: 'egress',
    preface: 'none',
    limits: 'private',
  },
  /** Further endpoints of KMS, where keys of several regions keep the master key together (keys.keeper of enclave.yaml). */
  kms2: otherKms(18444),
  kms3: otherKms(18445),
  kms4: otherKms(18446),
  kms5: otherKms(18447),
  imds: {
    dialledBy: 'enclave',
    port: 18080,
    inside: { kind: 'private' },
    outside: { kind: 'connect', default: 'tcp://169.254.169.254:80' },
    opens: 'egress',
    preface: 'none',
    limits: 'private',
  },
} as const satisfies RouteTable;

/** Of an enclave with any application: what else crosses vsock is named by its configuration (config/app/). */
export const APP_ROUTES = COMMON_ROUTES;

export const ROUTES = {
  ...COMMON_ROUTES,
  /** Where acra-server in line keeps tokens (acra.tokens of enclave.yaml); TLS is its own. */
  tokens: {
    dialledBy: 'enclave',
    port: 16379,
    inside: { kind: 'configured', field: 'acra.tokens' },
    outside: { kind: 'connect', isOptional: true },
    opens: 'egress',
    preface: 'none',
    limits: 'egressLimits',
  },
  /** acra-server would go on in clear when the database (or the parent in its name) answers `N`: hence the preface. */
  database: {
    dialledBy: 'enclave',
    port: 15432,
    inside: { kind: 'configured', field: 'database.listen' },
    outside: { kind: 'connect' },
    opens: 'egress',
    preface: 'postgres-tls',
    limits: 'egressLimits',
  },
  /** PostgreSQL sessions of applications. acra-server in line would serve a client that never asks for TLS: hence the preface; a front judges itself. */
  ingress: {
    dialledBy: 'parent',
    port: 5432,
    inside: { kind: 'configured', field: 'ingress' },
    outside: { kind: 'listen', default: 'tcp://0.0.0.0:5432' },
    opens: 'serving',
    preface: 'postgres-tls',
    tellsSource: true,
    limits: 'ingressLimits',
  },
} as const satisfies RouteTable;

/** Of the way out that takes names, not one target. */
export const EGRESS_HTTP_LABEL = 'http-egress';

/** How an application's own route is called in logs and metrics. @param name of the configuration */
export function appRouteLabel(direction: 'ingress' | 'egress', name: string): string {
  return `${direction}-${name}`;
}

export type RouteLabel = keyof typeof ROUTES;

/** Labels of a table whose parent's end is of that kind. */
export type LabelsWith<Table extends RouteTable, Kind extends Outside['kind']> = {
  [Label in keyof Table]: Table[Label]['outside']['kind'] extends Kind ? Label : never;
}[keyof Table] &
  string;

/** Labels of the routes whose port the configuration files may change: all but those of a driver. */
export type PortLabel<Table extends RouteTable = typeof ROUTES> = LabelsWith<Table, Exclude<Outside['kind'], 'driver'>>;

/** Entries of the table whose parent's end is of one of the kinds, in the table's order. */
export function routesWith<Table extends RouteTable, Kind extends Outside['kind']>(
  table: Table,
  ...kinds: readonly Kind[]
): readonly (readonly [LabelsWith<Table, Kind>, RouteDeclaration & { readonly outside: { readonly kind: Kind } }])[] {
  const isWanted = ([, { outside }]: [string, RouteDeclaration]) => (kinds as readonly string[]).includes(outside.kind);
  return Object.entries(table).filter(isWanted) as never;
}

/** The default ports of the routes whose port may be configured. */
export function defaultPorts<Table extends RouteTable>(table: Table): Readonly<Record<PortLabel<Table>, number>> {
  const configurable = routesWith(table, 'host-proxy', 'connect', 'listen');
  return Object.fromEntries(configurable.map(([label, { port }]) => [label, port])) as never;
}

/** Of the product's own table. */
export const VSOCK_PORTS = defaultPorts(ROUTES);
