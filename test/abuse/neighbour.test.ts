/** What one identity does to its own guard, while another's client works: its success, its times, and everybody's memory. */
import t from 'tap';
import * as messages from '../../postgres/messages.ts';
import { type Attacked, attackedStack } from './support/attacked.ts';
import { HonestClient, holdHonest, tellHonest } from './support/honest.ts';
import { holdMemory, pidOfIdentity, residents } from './support/memory.ts';
import { againAndAgain, FLOOD_MS, forAWhile } from './support/pace.ts';
import { frame, RawClient } from './support/raw-client.ts';

const MIB = 1024 * 1024;
const query = (sql: string) => frame('Q', `${sql}\0`);
const SYNC = frame('S');

/** Sent again and again, as soon as it has been answered. */
const BOMBS: Readonly<Record<string, Buffer>> = {
  '16 MiB of nested parentheses': query(`SELECT ${'('.repeat(7.9 * MIB)}1${')'.repeat(7.9 * MIB)}`),
  'comments that do not end': query(`SELECT 1 ${'/*'.repeat(20_000)}`),
  'short texts that are slow to read': query(`SELECT 1 ${'/*'.repeat(1_000)}`),
  'ten thousand statements in one message': query('SELECT 1;'.repeat(10_000)),
  'pipelines of ten thousand Syncs': Buffer.concat(Array<Buffer>(10_000).fill(SYNC)),
  'values of 1 MiB': Buffer.concat([
    messages.PARSE.encode('', 'UPDATE patients SET diagnosis = $1 WHERE id = -1', []),
    messages.BIND.encode('', '', [1], [Buffer.alloc(MIB, 0x41)], []),
    frame('E', '\0\0\0\0\0'),
    SYNC,
  ]),
  'results of 10 MB that are read slowly': query("SELECT repeat('x', 100000) FROM generate_series(1, 100)"),
};

/** @returns how often */
async function bomb(target: Attacked, bytes: Buffer): Promise<number> {
  const client = await RawClient.open(target, target.attacker);
  const sent = await againAndAgain(FLOOD_MS, async () => {
    client.received.length = 0;
    client.send(bytes);
    return (await client.untilType('Z')) === 'came';
  });
  client.socket.destroy();
  return sent;
}

t.test('an identity that keeps its own guard busy', { timeout: 60_000 + 10 * (FLOOD_MS + 40_000) }, async (t) => {
  const target = await attackedStack(t);
  const { enclave, parts } = target.stack;
  const { certificatePem } = parts.certificates.client;
  const honest = await HonestClient.start(t, target);
  await honest.report();
  await forAWhile(FLOOD_MS);
  tellHonest(t, 'quiet', await honest.report());
  const front = () => [enclave.supervisor?.pid, pidOfIdentity(enclave, 'guard', certificatePem)];
  const before = front();
  for (const [name, bytes] of Object.entries(BOMBS)) {
    await t.test(name, async (t) => {
      const sent = await Promise.all([bomb(target, bytes), bomb(target, bytes)]);
      const report = await honest.report();
      tellHonest(t, `${name}, ${sent.join(' + ')} times`, report);
      holdHonest(t, name, report);
      holdMemory(t, `of the honest one's guard, ${name}`, residents(enclave, certificatePem));
      holdMemory(t, `of the attacker's guard, ${name}`, residents(enclave, target.attacker.certificatePem));
    });
  }
  t.same(front(), before);
  await honest.end();
});
