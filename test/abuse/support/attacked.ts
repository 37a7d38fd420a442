/** The whole product with two identities, one honest and one that attacks, and, where that is tried, a database that can lie. */
import type { Test } from 'tap';
import type { StackOptions } from '../../../cli/demo/stack.ts';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import { prepareStack, type ServingStack, step } from '../../support/stack.ts';
import { LyingDatabase } from './lying-database.ts';
import { revoke } from './revoke.ts';

/** Not the honest client's address, so that limits by address can tell them apart. */
export const ATTACKER = '127.0.0.2';

export interface Attacked extends ServingStack {
  /** Of an identity that has keys and a user of the database as the honest one has. */
  readonly attacker: IssuedCertificate;
  /** Of the honest identity by its name, and on the list of those that are refused. */
  readonly revoked: IssuedCertificate;
}

/** Resolves when the flood is over. @returns what to say of it */
export type Flood = (target: Attacked) => Promise<string>;

export interface LiedTo extends Attacked {
  readonly database: LyingDatabase;
}

/** PostgreSQL has 100 connections: an identity may not take all of them. */
export const FEW_SESSIONS: Partial<StackOptions> = {
  enclaveSettings: { ingress: { limits: { maxSessionsPerClient: 40 } } },
};

export async function attackedStack(t: Test, options: Partial<StackOptions> = {}): Promise<Attacked> {
  const stack = await prepareStack(t, { otherClients: ['attacker'], ...options });
  return serve(stack);
}

/** The same behind a database that can lie; it is of the test's own process, so times say nothing here. */
export async function liedToStack(t: Test, options: Partial<StackOptions> = {}): Promise<LiedTo> {
  const database = await LyingDatabase.start(t);
  const hostSettings = { database: { connect: database.endpoint } };
  const stack = await prepareStack(t, { otherClients: ['attacker'], ...options, hostSettings });
  database.standBefore(stack);
  return { ...(await serve(stack)), database };
}

async function serve(stack: Attacked['stack']): Promise<Attacked> {
  const revoked = await stack.parts.certificates.applicationCa.issue({
    commonName: 'demo-application',
    kind: 'client',
  });
  revoke(stack.enclaveFolder, revoked);
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const address = await stack.enclave.untilServing(step());
  const [attacker] = stack.parts.certificates.otherClients;
  return { stack, address, attacker: attacker as IssuedCertificate, revoked };
}
