/**
 * A poison record in a result closes the identity that read it, wherever it stands: in a protected column, as ever, in one that is not, and
 * in a table that nobody has configured. Others are served.
 */
import t, { type Test } from 'tap';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { IssuedCertificate } from '../../emulator/pki/authority.ts';
import { frame, RawClient, secure, startupPacket } from '../abuse/support/raw-client.ts';
import { poisonRecord } from '../support/poison-record.ts';
import { logLines, type ServingStack, servingStack, step } from '../support/stack.ts';

interface Place {
  readonly insert: (record: Buffer) => readonly [sql: string, values: unknown[]];
  readonly reads: string;
}

const PLACES: Readonly<Record<string, Place>> = {
  'a protected column': {
    insert: (record) => ["INSERT INTO patients (id, name, diagnosis) VALUES (91, 'P', $1)", [record]],
    reads: 'SELECT id, diagnosis FROM patients WHERE id = 91',
  },
  'a column that is not protected': {
    insert: (record) => ['INSERT INTO patients (id, name) VALUES (92, $1)', [`\\x${record.toString('hex')}`]],
    reads: 'SELECT name FROM patients WHERE id = 92',
  },
  'a table that is not configured': {
    insert: (record) => ['INSERT INTO bait VALUES ($1)', [record]],
    reads: 'SELECT * FROM bait',
  },
  'data of a COPY': {
    insert: (record) => ['INSERT INTO bait VALUES ($1)', [record]],
    reads: 'COPY bait TO STDOUT',
  },
};

/** @returns what a client is told, then and later, without the words of one moment */
async function readBy(t: Test, target: ServingStack, identity: IssuedCertificate, sql: string) {
  const client = await RawClient.open(target, identity);
  client.send(frame('Q', `${sql}\0`));
  t.equal(await client.untilEnd(), 'ended', 'the session ends');
  t.notMatch(client.types, /[Dd]/, 'and no row came');
  const later = new RawClient(await secure(target, identity));
  later.send(startupPacket());
  t.equal(await later.untilEnd(), 'ended');
  return { told: client.errors.map(({ sqlState }) => sqlState), later: later.errors };
}

t.test('a poison record closes the identity that reads it', { timeout: 240_000 }, async (t) => {
  const names = Object.keys(PLACES);
  const target = await servingStack(t, { otherClients: names });
  const { stack, address } = target;
  const { otherClients, client } = stack.parts.certificates;
  const owner = await connectDirectly(stack);
  t.teardown(() => owner.end());
  await owner.query('CREATE TABLE bait (cell bytea); GRANT SELECT ON bait TO application');
  const record = await poisonRecord(stack);
  for (const place of Object.values(PLACES)) await owner.query(...place.insert(record));
  const alarms = () =>
    logLines(stack.enclave, 'host-proxy').filter(
      ({ event, fields }) => event === 'acra.alarm' && (fields as { readonly acraCode?: number }).acraCode === 101,
    ).length;
  const outcomes: unknown[] = [];
  for (const [index, [name, { reads }]] of Object.entries(PLACES).entries()) {
    await t.test(`in ${name}`, async (t) => {
      const identity = otherClients[index] as IssuedCertificate;
      outcomes.push(await readBy(t, target, identity, reads));
      await stack.enclave.until(() => alarms() > index, step());
      t.equal(alarms(), index + 1, 'an alarm at the parent');
    });
  }
  t.match(outcomes[0], { later: [{ sqlState: '57P03', message: /sessions of this client are closed/ }] });
  for (const [index, name] of names.entries())
    t.same(outcomes[index], outcomes[0], `${name}: as in a protected column`);
  const other = await connectThroughEnclave(stack, address, client);
  t.teardown(() => other.end());
  t.same((await other.query('SELECT count(*) FROM patients')).rows, [{ count: '2' }], 'other identities are served');
});
