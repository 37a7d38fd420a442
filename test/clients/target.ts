/**
 * What the clients connect to. A client sees the same in each: PostgreSQL behind TLS that takes its certificate as the login.
 * `CLIENTS_TARGET` chooses.
 *
 * `enclave` (default): the whole product, simulated.
 * `postgres`: PostgreSQL itself, which shows that a program of the matrix asks nothing unusual.
 */
import type { Test } from 'tap';
import { enclaveTarget } from './support/enclave-target.ts';
import { postgresTarget } from './support/postgres-target.ts';

export interface ClientTarget {
  /** For the table of docs/clients.md. */
  readonly description: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Files in PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The same key as `key`, PKCS #8 in DER. */
  readonly keyDer: string;
  /** An authority that did not sign the server's certificate. */
  readonly wrongCa: string;
  /** Leaves the table `patients` without rows. */
  reset(): Promise<void>;
  /** Resolves once no client has a session. */
  untilNoSession(): Promise<void>;
  /** What the database wrote down of connections that ended without a word, since the last call. */
  complaints(): string[];
}

const TARGETS: Readonly<Record<string, (t: Test) => Promise<ClientTarget>>> = {
  enclave: enclaveTarget,
  postgres: postgresTarget,
};

/** Gone when the test ends. @throws Error when CLIENTS_TARGET names none */
export function startTarget(t: Test): Promise<ClientTarget> {
  const name = process.env['CLIENTS_TARGET'] ?? 'enclave';
  const start = TARGETS[name];
  if (start === undefined) throw new Error(`CLIENTS_TARGET is ${name}; there are ${Object.keys(TARGETS).join(', ')}`);
  return start(t);
}
