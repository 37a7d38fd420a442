/** The whole product before a real PostgreSQL whose table has no CHECK constraints, and whose messages can be read. */
import pg from 'pg';
import type { Test } from 'tap';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { connectDirectly } from '../../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import type { StackOptions } from '../../../cli/demo/stack.ts';
import { LyingDatabase } from '../../abuse/support/lying-database.ts';
import { prepareStack, step } from '../../support/stack.ts';
import type { Place } from './run-form.ts';

const NAME = 'forms';
const NO_BELTS = `ALTER TABLE patients DROP CONSTRAINT patients_email_check, DROP CONSTRAINT patients_diagnosis_check;`;

export async function guardedPlace(t: Test, options: Partial<StackOptions> = {}): Promise<Place> {
  const database = await LyingDatabase.start(t);
  const stack = await prepareStack(t, { ...options, hostSettings: { database: { connect: database.endpoint } } });
  database.standBefore(stack);
  database.lies.set(NAME, {});
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const { host, port } = await stack.enclave.untilServing(step());
  const { applicationCaPem, client } = stack.parts.certificates;
  const application = new pg.Client({
    ...APPLICATION,
    host,
    port,
    database: DATABASE,
    application_name: NAME,
    ssl: { ca: applicationCaPem, cert: client.certificatePem, key: client.privateKeyPem, servername: ENCLAVE_NAME },
  });
  application.on('error', () => undefined);
  await application.connect();
  const owner = await connectDirectly(stack);
  t.teardown(() => Promise.all([application.end(), owner.end()]));
  await owner.query(NO_BELTS);
  return { application, owner, heard: database.liedTo[0]?.heard ?? [] };
}
