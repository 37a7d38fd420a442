/** The whole product with two identities and a database that can lie; what is attacked, and by whom. */
import type { Test } from 'tap';
import type { StackOptions } from '../../../cli/demo/stack.ts';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import { prepareStack, type ServingStack, step } from '../../support/stack.ts';
import { LyingDatabase } from './lying-database.ts';

export interface Attacked extends ServingStack {
  /** Of an identity that has keys and a user of the database as the honest one has. */
  readonly attacker: IssuedCertificate;
  readonly database: LyingDatabase;
}

export async function attackedStack(t: Test, options: Partial<StackOptions> = {}): Promise<Attacked> {
  const database = await LyingDatabase.start(t);
  const stack = await prepareStack(t, {
    otherClients: ['attacker'],
    ...options,
    hostSettings: { database: { connect: database.endpoint }, ...options.hostSettings },
  });
  database.standBefore(stack);
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const address = await stack.enclave.untilServing(step());
  const [attacker] = stack.parts.certificates.otherClients;
  return { stack, address, attacker: attacker as IssuedCertificate, database };
}
