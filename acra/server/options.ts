/** What our composers decide about one acra-server process. Everything else about its command line is fixed. */
import type { TcpEndpoint, UnixEndpoint } from '../../wire/endpoint.ts';
import type { CertificateIdentifier } from '../client-id.ts';

export interface CommonOptions {
  /** Loopback or a unix socket; never reachable from outside by itself. */
  readonly listen: TcpEndpoint | UnixEndpoint;
  readonly database: {
    /** IPv4 literal: acra-server would resolve a name at every connection and cannot write IPv6 (acra-server contract 3.1, 7). */
    readonly host: string;
    readonly port: number;
  };
  /** Keystore v1. */
  readonly keysFolder: string;
  readonly encryptorConfigFile: string;
  readonly censorConfigFile?: string;
  /** Shut down when a poison record is read (acra-server contract 3.5). */
  readonly poisonDetection: boolean;
  /** A Redis where it keeps tokens; undefined: none of its columns has any. */
  readonly tokens?: TokenStore | undefined;
}

/** In line: sessions of applications pass through it. */
export interface AcraServerOptions extends CommonOptions {
  readonly database: CommonOptions['database'] & {
    /** The name that the database's certificate must carry. */
    readonly serverName: string;
  };
  readonly tls: {
    readonly clientCaFile: string;
    readonly serverCertFile: string;
    readonly serverKeyFile: string;
    readonly databaseCaFile: string;
  };
  readonly clientId: { readonly from: CertificateIdentifier };
}

export interface TokenStore {
  /** IPv4 literal. */
  readonly host: string;
  readonly port: number;
  /** The name that its certificate must carry. */
  readonly serverName: string;
  readonly caFile: string;
  /** Number of the Redis database. */
  readonly database: number;
}

/** As an engine: it sees values of one identity, never a session. */
export interface AcraEngineOptions extends CommonOptions {
  readonly clientId: string;
}
