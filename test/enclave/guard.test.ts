/** The forms of statements through the guard of a real enclave machine: what is stored is ciphertext, or the statement is refused. */
import t from 'tap';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { Form } from '../fail-closed/support/form.ts';
import { requireProtected } from '../fail-closed/support/judge-form.ts';
import { NO_BELTS } from '../fail-closed/support/place.ts';
import type { Session } from '../fail-closed/support/run-form.ts';
import { SEARCHES } from '../fail-closed/support/searches.ts';
import { WRITES } from '../fail-closed/support/writes.ts';
import { EnclaveStack } from './support/enclave-stack.ts';
import { explaining } from './support/explaining.ts';

/** Behind these a value would stand in the protected table. */
const HIDDEN = `
CREATE VIEW patient_view AS SELECT * FROM patients;
CREATE FUNCTION save(given text) RETURNS void LANGUAGE sql AS $$ INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', given::bytea) $$;
GRANT ALL ON patient_view TO PUBLIC;`;

t.test('statements through the guard of a machine', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  const { address } = await stack.serve();
  const owner = await connectDirectly(stack);
  const connect = async () => (await connectThroughEnclave(stack, address)) as Session;
  let application = await connect();
  t.teardown(() => Promise.all([application.end(), owner.end()]));
  await owner.query(NO_BELTS);
  await owner.query(HIDDEN);
  const place = {
    owner,
    get application() {
      return application;
    },
    // The machine's connection to the database is nobody's to read here; what is at rest is.
    heard: [],
    renew: async () => {
      application.connection.stream.destroy();
      application = await connect();
    },
  };
  const test = explaining(t, stack);

  for (const [name, form] of Object.entries<Form>({ ...WRITES, ...SEARCHES })) {
    await test(`${form.ends === 'works' ? 'protects' : 'refuses'} ${name}`, (t) =>
      requireProtected(t, place, form, ['simple', 'extended']));
  }

  for (const sql of [`INSERT INTO patient_view (id, name, diagnosis) VALUES (9, 'n', 'x')`, `SELECT save('x')`]) {
    await test(`rejects ${sql}`, async (t) => {
      await t.rejects(application.query(sql), { code: '42501' });
    });
  }
});
