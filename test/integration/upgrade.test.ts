/**
 * The rehearsal of another image (docs/backup.md): B beside A in the key policy, sessions over, A out, and back again. What was written is
 * read throughout; and what the policy does not name is refused, at boot and while it runs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { EnclavePair } from '../../cli/demo/enclave-pair.ts';
import { ENCRYPTION_CONTEXT } from '../../cli/demo/parts.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { failedBoot, logLines, prepareStack, step } from '../support/stack.ts';

const LEASE = { renewEveryMs: 300, maxAgeMs: 3_600_000 };
const INSERT = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
const READ = 'SELECT id, diagnosis FROM patients ORDER BY id';

t.test('goes over from one image to another and back, and reads everything throughout', async (t) => {
  const stack = await prepareStack(t, { enclaveSettings: { lease: LEASE } });
  const { cloud, keyArn } = stack.parts;
  const a = stack.enclave;
  const { folder, pair: b } = stack.copyEnclave('b');
  const file = join(folder, 'enclave.yaml');
  const yaml = parse(readFileSync(file, 'utf8'));
  writeFileSync(file, stringify({ ...yaml, health: { ...yaml.health, probeIntervalMs: 9_000 } }));
  const [ofA, ofB] = [stack.measure(), stack.measure(folder)];
  t.notSame(ofA, ofB, 'they are two images');
  const allow = (...measurements: readonly (typeof ofA)[]) =>
    cloud.putKeyPolicy(keyArn, ofA, { encryptionContext: ENCRYPTION_CONTEXT, measurements });
  const written: { id: number; diagnosis: string }[] = [];
  const writeAndRead = async (address: TcpEndpoint, diagnosis: string) => {
    const client = await connectThroughEnclave(stack, address);
    const id = written.length + 1;
    await client.query(INSERT, [id, 'N', `${id}@example.org`, diagnosis]);
    written.push({ id, diagnosis });
    t.same((await client.query(READ)).rows, written, `through the enclave that wrote "${diagnosis}"`);
    await client.end();
  };
  const boot = async (pair: EnclavePair) => {
    await pair.stop();
    await pair.start();
    return pair.untilServing(step());
  };

  await allow(ofA);
  const atA = await boot(a);
  await writeAndRead(atA, 'by A alone');

  t.match((await failedBoot(b)).enclave, { errorCode: 'KMS_ACCESS_DENIED' });
  await writeAndRead(atA, 'by A, which B’s vain boot did not disturb');

  await allow(ofA, ofB);
  const atB = await boot(b);
  await writeAndRead(atB, 'by B');
  await writeAndRead(atA, 'by A beside B');

  const open = await connectThroughEnclave(stack, atB);
  await allow(ofB);
  await a.until(({ enclave }) => enclave?.errorCode === 'LEASE_REFUSED', step());
  await a.supervisor?.exited;
  t.same((await open.query(READ)).rows, written, 'sessions at B go on when A is out');
  await writeAndRead(atB, 'by B alone');
  await a.stop();
  t.match((await failedBoot(a)).enclave, { errorCode: 'KMS_ACCESS_DENIED' }, 'A does not come back by itself');

  await allow(ofA, ofB);
  const back = await boot(a);
  await writeAndRead(back, 'by A again');
  t.same((await open.query(READ)).rows, written, 'and B reads it');
  await open.end();
  await b.stop();
  await allow(ofA);
  const renewals = () => logLines(a, 'supervisor').filter(({ event }) => event === 'lease.renewed').length;
  const before = renewals();
  await a.until(() => renewals() > before, step());
  await writeAndRead(back, 'by A alone again');
});
