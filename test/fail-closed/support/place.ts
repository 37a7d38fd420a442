/** The whole product before a real PostgreSQL whose table has no CHECK constraints, and whose messages can be read. */
import pg from 'pg';
import type { Test } from 'tap';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { connectDirectly } from '../../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import type { Stack, StackOptions } from '../../../cli/demo/stack.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { LyingDatabase } from '../../abuse/support/lying-database.ts';
import { prepareStack, step } from '../../support/stack.ts';
import type { Place, Session } from './run-form.ts';

const NAME = 'forms';
export const NO_BELTS = `ALTER TABLE patients DROP CONSTRAINT acra_belt_email, DROP CONSTRAINT acra_belt_diagnosis;`;

/** @param prepare what is done with database and folder before the enclave is measured */
export async function guardedPlace(
  t: Test,
  options: Partial<StackOptions> = {},
  prepare: (stack: Stack) => Promise<void> = async () => undefined,
): Promise<Place> {
  const database = await LyingDatabase.start(t);
  const stack = await prepareStack(t, { ...options, hostSettings: { database: { connect: database.endpoint } } });
  database.standBefore(stack);
  database.lies.set(NAME, {});
  await prepare(stack);
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const address = await stack.enclave.untilServing(step());
  const owner = await connectDirectly(stack);
  await owner.query(NO_BELTS);
  let application = await connect(stack, address);
  const place: Place = {
    get application() {
      return application;
    },
    owner,
    get heard() {
      return database.liedTo.at(-1)?.heard ?? [];
    },
    renew: async () => {
      application.connection.stream.destroy();
      application = await connect(stack, address);
    },
  };
  t.teardown(() => Promise.all([place.application.end(), owner.end()]));
  return place;
}

async function connect({ parts }: Stack, { host, port }: TcpEndpoint): Promise<Session> {
  const { applicationCaPem, client } = parts.certificates;
  const ssl = {
    ca: applicationCaPem,
    cert: client.certificatePem,
    key: client.privateKeyPem,
    servername: ENCLAVE_NAME,
  };
  const application = new pg.Client({ ...APPLICATION, host, port, database: DATABASE, application_name: NAME, ssl });
  application.on('error', () => undefined);
  await application.connect();
  return application as Session;
}
