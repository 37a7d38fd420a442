/** What the programs that sessions pass through are made from. */
import type { EncryptedTable } from '../../../acra/encryptor-config/schema.ts';
import type { AcraProgram } from '../../../acra/obtain/program.ts';
import type { AcraLogRecord } from '../../../acra/server/log-record.ts';
import type { EnclaveConfig } from '../../../config/enclave.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { Random } from '../../../runtime/random.ts';
import type { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { DatabaseTarget } from '../../../sessions/edge/database-connection.ts';
import type { Machine } from '../../platform.ts';

export interface SessionsDeps {
  readonly program: AcraProgram;
  readonly config: EnclaveConfig;
  /** Where a file of the measured folder lies. */
  readonly pathOf: (file: string) => string;
  readonly masterKey: SecretBuffer;
  /** PEM of the private key that clients see the certificate of. */
  readonly serverKey: SecretBuffer;
  /** Passwords or verifiers, by the names of the database's users: of each one or two. */
  readonly databaseSecrets: ReadonlyMap<string, readonly SecretBuffer[]>;
  /** Ids of the clients that have keys. */
  readonly keyClients: readonly string[];
  /** Clients whose keys single columns are encrypted with, whoever writes. */
  readonly columnClients: readonly string[];
  /** Of the encryptor configuration, by name. */
  readonly tables: ReadonlyMap<string, EncryptedTable>;
  readonly certificatePem: string;
  readonly clientCaPem: string;
  readonly databaseTarget: DatabaseTarget;
  readonly confine: Machine['confine'];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly onFailure: (error: unknown) => void;
  /** Told of every record of every acra-server. */
  readonly onRecord?: (record: AcraLogRecord) => void;
}
