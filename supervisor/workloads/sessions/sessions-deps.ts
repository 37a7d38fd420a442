/** What the programs that sessions pass through are made from. */
import type { EncryptedTable } from '../../../acra/encryptor-config/schema.ts';
import type { GuardList } from '../../../config/guard-list.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { DatabaseTarget } from '../../../sessions/edge/database-connection.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import type { Answerer } from '../../../wire/requests/serve.ts';
import type { DatabaseTokens } from '../../credentials/database-tokens.ts';
import type { KeysInUse } from '../../keys/keys-in-use.ts';
import type { ServerCertificate } from '../../tls/server-certificate.ts';
import type { WorkloadDeps } from '../workload.ts';

export interface SessionsDeps extends WorkloadDeps {
  /** Now and later. */
  readonly keys: Pick<KeysInUse, 'current' | 'subscribe'>;
  /** PEM of the private key of the certificate that clients see at this moment. */
  readonly serverKey: () => SecretBuffer;
  /** Clients whose keys single columns are encrypted with, whoever writes. */
  readonly columnClients: readonly string[];
  /** Of the encryptor configuration, by name. */
  readonly tables: ReadonlyMap<string, EncryptedTable>;
  readonly guardList: GuardList;
  /** What clients see, now and later. */
  readonly serverCertificate: ServerCertificate;
  readonly clientCaPem: string;
  readonly databaseTarget: DatabaseTarget;
  /** With `database.login: rds-iam`. */
  readonly databaseTokens: Pick<DatabaseTokens, 'tokenFor' | 'refused'> | undefined;
  /** The way to where tokens are kept; undefined: nowhere. */
  readonly tokensAddress: TcpEndpoint | undefined;
  /** To strangers who ask on the public port. */
  readonly answerRequest: Answerer;
}
