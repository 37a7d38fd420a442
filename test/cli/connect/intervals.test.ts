/** `connect` looks again: in intervals, and what it no longer believes ends. */
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { MeasurementsError } from '../../../attestation/published/errors.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { demands, pcrsWith } from '../../attestation/verify/support/evidence.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { attestedEnclave } from './support/attested-enclave.ts';
import { connecting, database, refusalOf, step } from './support/connecting.ts';

const shop = await database(t);
const HOUR_MS = 3_600_000;

t.test('verifies again in each interval, and keeps sessions when that passes', async (t) => {
  const clock = new FakeClock();
  const enclave = await attestedEnclave(t, shop);
  let onVerified: () => void = () => undefined;
  const { connector, client } = connecting(t, enclave.address, { clock, onVerified: () => onVerified() });
  await connector.start(step());
  const session = client();
  await session.connect();
  for (const questions of [2, 3]) {
    const verified = new Promise<void>((resolve) => {
      onVerified = resolve;
    });
    clock.advance(HOUR_MS);
    await verified;
    t.equal(enclave.questions, questions);
    await new Promise(setImmediate);
  }
  t.same((await session.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await session.end();
});

const CAUSES = {
  'the measurements expired': (fail: () => void) => fail(),
  'the enclave runs otherwise': (_: () => void, change: () => void) => change(),
};

for (const [what, cause] of Object.entries(CAUSES)) {
  t.test(`ends sessions and refuses new ones when at the next look ${what} (28000)`, async (t) => {
    const clock = new FakeClock();
    const enclave = await attestedEnclave(t, shop);
    let expired = false;
    const { connector, client } = connecting(t, enclave.address, {
      clock,
      demands: async () => {
        if (expired) throw new MeasurementsError('MEASUREMENTS_EXPIRED', 'expired');
        return demands;
      },
    });
    await connector.start(step());
    const session = client();
    await session.connect();
    const ended = new Promise((resolve) => session.once('end', resolve));
    cause(
      () => {
        expired = true;
      },
      () => {
        enclave.payload = { pcrs: pcrsWith([toPcrIndex(2), Buffer.alloc(48, 0xee)]) };
      },
    );
    clock.advance(HOUR_MS);
    await ended;
    t.match(await refusalOf(client()), { code: '28000' });
  });
}

t.test('ends a client that says nothing, and one that speaks no PostgreSQL, with a word', async (t) => {
  const clock = new FakeClock();
  const enclave = await attestedEnclave(t, shop);
  const { connector, folder } = connecting(t, enclave.address, { clock });
  await connector.start(step());
  const silent = connect({ path: join(folder, '.s.PGSQL.5432') });
  await once(silent, 'connect');
  while (clock.sleeping < 2) await new Promise(setImmediate);
  clock.advance(60_000);
  const [word] = (await once(silent, 'data')) as [Buffer];
  t.match(word.toString('latin1'), /FATAL.*08006/s);
  const stranger = connect({ path: join(folder, '.s.PGSQL.5432') });
  stranger.write('GET / HTTP/1.1\r\n\r\n');
  const [answer] = (await once(stranger, 'data')) as [Buffer];
  t.match(answer.toString('latin1'), /FATAL.*08P01/s);
  t.equal(enclave.clients.length, 0);
});

t.test('leaves nothing behind, and ends what is open', async (t) => {
  const enclave = await attestedEnclave(t, shop);
  const { connector, folder, client } = connecting(t, enclave.address);
  await connector.start(step());
  const path = join(folder, '.s.PGSQL.5432');
  t.equal(statSync(path).mode & 0o777, 0o600);
  const session = client();
  await session.connect();
  const ended = new Promise((resolve) => session.once('end', resolve));
  await connector.stop();
  await ended;
  t.notOk(existsSync(path));
  t.equal(connector.port, undefined);
});
