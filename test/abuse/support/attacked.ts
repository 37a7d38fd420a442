/** The whole product with two identities, one honest and one that attacks, and, where that is tried, a database that can lie. */
import type { Test } from 'tap';
import type { StackOptions } from '../../../cli/demo/stack.ts';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import { prepareStack, type ServingStack, step } from '../../support/stack.ts';
import { LyingDatabase } from './lying-database.ts';

export interface Attacked extends ServingStack {
  /** Of an identity that has keys and a user of the database as the honest one has. */
  readonly attacker: IssuedCertificate;
}

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
export async function liedToStack(t: Test): Promise<LiedTo> {
  const database = await LyingDatabase.start(t);
  const hostSettings = { database: { connect: database.endpoint } };
  const stack = await prepareStack(t, { otherClients: ['attacker'], hostSettings });
  database.standBefore(stack);
  return { ...(await serve(stack)), database };
}

async function serve(stack: Attacked['stack']): Promise<Attacked> {
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const address = await stack.enclave.untilServing(step());
  const [attacker] = stack.parts.certificates.otherClients;
  return { stack, address, attacker: attacker as IssuedCertificate };
}
