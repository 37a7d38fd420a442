/** The whole chain through a real enclave machine: measured, attested, and ciphertext where the parent could look. */
import { statSync } from 'node:fs';
import t from 'tap';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import { EnclaveStack } from './support/enclave-stack.ts';
import { explaining } from './support/explaining.ts';
import { target } from './support/target.ts';

const INSERT = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
const ROWS = 1_000;
const MIB = 1024 * 1024;
const LARGE_BYTES = 12 * MIB;
/** Over `ingress.limits.maxMessageBytes`. */
const TOO_LARGE_BYTES = 17 * MIB;
const MAX_IMAGE_BYTES = 60_000_000;

/** In MiB: each program's, and what the machine still has. */
function memory(metrics: string): string {
  const samples = metrics.matchAll(
    /^acra_enclave_((?:supervisor|child)_resident|machine_available)\w*(\{.*\})? (\d+)$/gm,
  );
  return [...samples]
    .map(([, name, labels, bytes]) => `${name}${labels ?? ''} ${Math.round(Number(bytes) / MIB)}`)
    .join(', ');
}

t.test('an enclave machine serves what it is measured for', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  // As a user gets it: with the compression that images have by default.
  const { image, address, bootMs } = await stack.serve({ compression: undefined });
  const application = await connectThroughEnclave(stack, address);
  const owner = await connectDirectly(stack);
  t.teardown(() => Promise.all([application.end(), owner.end()]));
  const test = explaining(t, stack);

  await test('keeps PCR0, PCR1 and PCR2 of the security module equal to measurements.json', async (t) => {
    const status = await stack.until(({ measurements }) => measurements !== null);
    for (const [index, value] of image.pcrs) t.equal(status.measurements?.[`PCR${index}`], value.toString('hex'));
    t.equal(status.simulated, false);
  });

  await test('keeps the image within 60 MB', async (t) => {
    const { size } = statSync(image.path);
    t.ok(size > 0 && size <= MAX_IMAGE_BYTES, `${size} bytes`);
  });

  const idle = memory(await stack.metrics());
  await test('keeps protected columns as ciphertext in the database', async (t) => {
    await application.query(INSERT, [1, 'Ada', 'ada@example.org', 'gout']);
    const { rows } = await owner.query<{ email: Buffer; diagnosis: Buffer }>('SELECT email, diagnosis FROM patients');
    t.ok(rows[0]?.email.subarray(33, 36).equals(Buffer.from('%%%')));
    t.ok(rows[0]?.diagnosis.subarray(0, 3).equals(Buffer.from('%%%')));
    t.notOk(rows[0]?.diagnosis.includes('gout'));
  });

  await test('finds a row by equality on an encrypted column', async (t) => {
    const { rows } = await application.query('SELECT id, diagnosis FROM patients WHERE email = $1', [
      'ada@example.org',
    ]);
    t.same(rows, [{ id: 1, diagnosis: 'gout' }]);
  });

  await test('keeps 1,000 rows whole, there and back', async (t) => {
    const values = Array.from({ length: ROWS }, (_, i) => `(${1000 + i}, 'n${i}', 'e${i}@example.org', 'd${i}')`);
    await application.query(`INSERT INTO patients (id, name, email, diagnosis) VALUES ${values.join(',')}`);
    const { rows } = await application.query<{ id: number; diagnosis: string }>(
      'SELECT id, diagnosis FROM patients WHERE id >= 1000 ORDER BY id',
    );
    t.equal(rows.length, ROWS);
    t.ok(rows.every(({ id, diagnosis }) => diagnosis === `d${id - 1000}`));
  });

  await test('keeps a value of 12 MB whole, there and back', async (t) => {
    const large = 'x'.repeat(LARGE_BYTES);
    await application.query(INSERT, [2, 'L', 'l@example.org', large]);
    const { rows } = await application.query<{ diagnosis: string }>('SELECT diagnosis FROM patients WHERE id = 2');
    t.ok(rows[0]?.diagnosis === large);
  });

  await test('refuses a message that is too long (54000), and the session goes on', async (t) => {
    const tooLarge = application.query(INSERT, [3, 'T', 't@example.org', 'x'.repeat(TOO_LARGE_BYTES)]);
    await t.rejects(tooLarge, { code: '54000' });
    t.same((await application.query('SELECT id FROM patients WHERE id = 3')).rows, []);
  });

  await test('keeps a session when a statement is refused, and nothing of it is stored', async (t) => {
    const refused = application.query("INSERT INTO patients (id, name, diagnosis) SELECT 4, 'D', lower('plaintext')");
    await t.rejects(refused, { code: '0A000', message: /^refused by acra-enclave: / });
    t.same((await application.query('SELECT id FROM patients WHERE id = 4')).rows, []);
  });

  await test('serves ten clients at once', async (t) => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectThroughEnclave(stack, address)));
    const answers = await Promise.all(clients.map((each) => each.query('SELECT diagnosis FROM patients WHERE id = 1')));
    t.ok(answers.every(({ rows }) => rows[0].diagnosis === 'gout'));
    await Promise.all(clients.map((each) => each.end()));
  });

  t.comment(`target ${target().name}: boot to ready ${Math.round(bootMs)} ms`);
  t.comment(`memory, idle: ${idle}`);
  t.comment(`memory, at the end: ${memory(await stack.metrics())}`);
  const phases = stack.records().filter(({ event }) => event === 'boot.phase-done');
  t.comment(`phases: ${phases.map(({ fields }) => `${fields?.['phase']} ${fields?.['durationMs']}`).join(', ')} ms`);
});
