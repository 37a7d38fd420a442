/**
 * The vsock port table that parent and enclave share. Both configuration files default to it; nothing else listens.
 * Port 9000 belongs to nitro-cli's boot heartbeat (nitro-formats 3.4 step 5) and may not be used.
 */

export const VSOCK_PORTS = {
  /** Enclave listens: PostgreSQL sessions of applications. */
  ingress: 5432,
  /** Parent listens: log records, status and metrics from the enclave. */
  control: 9001,
  /** Parent listens: forwarded to the database. */
  database: 15432,
  /** Parent listens: forwarded to KMS. */
  kms: 18443,
  /** Parent listens: forwarded to the instance metadata service. */
  imds: 18080,
} as const;

export const HEARTBEAT_PORT = 9000;
