/** What our composers decide about one acra-server process. Everything else about its command line is fixed. */
import type { TcpEndpoint, UnixEndpoint } from '../../wire/endpoint.ts';
import type { CertificateIdentifier } from '../client-id.ts';

export interface AcraServerOptions {
  /** Loopback or a unix socket; never reachable from outside by itself. */
  readonly listen: TcpEndpoint | UnixEndpoint;
  readonly database: {
    /** IPv4 literal: acra-server would resolve a name at every connection and cannot write IPv6 (acra-server contract 3.1, 7). */
    readonly host: string;
    readonly port: number;
    /** The name that the database's certificate must carry. */
    readonly serverName: string;
  };
  /** Keystore v1. */
  readonly keysFolder: string;
  readonly encryptorConfigFile: string;
  readonly censorConfigFile?: string;
  readonly tls: {
    readonly clientCaFile: string;
    readonly serverCertFile: string;
    readonly serverKeyFile: string;
    readonly databaseCaFile: string;
  };
  readonly clientId: { readonly from: CertificateIdentifier };
  /** Shut down when a poison record is read (acra-server contract 3.5). */
  readonly poisonDetection: boolean;
}
