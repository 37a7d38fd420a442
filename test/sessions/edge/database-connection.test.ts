/** TLS towards a database that may be anybody: what it answers, shows, and leaves out. */
import t from 'tap';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { cancelAt } from '../../../sessions/edge/cancel.ts';
import { connectDatabase, DatabaseConnectionError } from '../../../sessions/edge/database-connection.ts';
import { outcomeOf } from '../support/outcome.ts';
import { lyingDatabase, rawDatabase } from './support/lying-database.ts';

const patient = () => AbortSignal.timeout(20_000);
const other = await createAuthority({ commonName: 'Database CA', clock: systemClock });

t.test('takes a database under its measured name, or its address', async (t) => {
  const target = await lyingDatabase(t, () => undefined);
  for (const serverName of ['db.test', '127.0.0.1']) {
    const socket = await connectDatabase({ ...target, serverName }, patient());
    t.equal(socket.getProtocol(), 'TLSv1.3');
    socket.destroy();
  }
});

t.test('refuses another CA of the same name, and another name (08006)', async (t) => {
  const target = await lyingDatabase(t, () => undefined);
  const wrong = [{ caPem: other.certificatePem }, { serverName: 'other.test' }, { serverName: '127.0.0.2' }];
  for (const change of wrong) t.equal(await outcomeOf(connectDatabase({ ...target, ...change }, patient())), '08006');
});

t.test('takes one CA of several that are trusted, and reads them once for all connections', async (t) => {
  const target = await lyingDatabase(t, () => undefined);
  const caPem = `${other.certificatePem}${target.caPem}`;
  let readings = 0;
  const counted = {
    ...target,
    get caPem() {
      readings += 1;
      return caPem;
    },
  };
  for (let left = 3; left > 0; left -= 1) (await connectDatabase(counted, patient())).destroy();
  t.equal(readings, 1);
});

const ISSUERS: readonly (readonly [issuer: string, hint: RegExp])[] = [
  ['Amazon RDS eu-central-1 Root CA RSA2048 G1', /CA of RDS: is database\.ca the bundle of its region/],
  ['Amazon RSA 2048 M02', /Amazon Trust Services, as RDS Proxy does/],
  ['Amazon Root CA 1', /database\.ca then needs Amazon Root CA 1 to 4/],
  ['Amazon\u202e Pretender', /its certificate is of CN=Amazon\\u202e Pretender$/],
];
for (const [issuer, hint] of ISSUERS) {
  t.test(
    `tells the operator, and no client, of an untrusted certificate whose issuer is ${JSON.stringify(issuer)}`,
    async (t) => {
      const authority = await createAuthority({ commonName: issuer, clock: systemClock });
      const shown = await authority.issue({ commonName: 'db.test', kind: 'server', subjectAltNames: ['db.test'] });
      const target = await lyingDatabase(t, () => undefined, shown);
      const error = await connectDatabase(target, patient()).catch((cause: unknown) => cause);
      if (!(error instanceof DatabaseConnectionError)) throw new Error('it was trusted');
      t.equal(error.failure, 'untrusted');
      t.match(error.detail, hint);
      t.notMatch(error.message, /Amazon/);
    },
  );
}

const ANSWERS: readonly (readonly [what: string, answer: Buffer | string])[] = [
  ['N', 'N'],
  ['an error', Buffer.from('E\0\0\0\x05\0', 'latin1')],
  ['junk', 'junk'],
  ['bytes behind S', 'S\x16\x03\x01'],
  ['an AuthenticationOk behind S', Buffer.from('SR\0\0\0\x08\0\0\0\0', 'latin1')],
];
for (const [what, answer] of ANSWERS) {
  t.test(`refuses ${what} as an answer to the request for TLS (08006)`, async (t) => {
    const target = await rawDatabase(t, (socket) => socket.write(answer));
    t.equal(await outcomeOf(connectDatabase(target, patient())), '08006');
  });
}

t.test('refuses what is no TLS behind S (08006)', async (t) => {
  const target = await rawDatabase(t, (socket) => {
    socket.write('S');
    socket.once('data', () => socket.write('R\0\0\0\x08\0\0\0\0'));
  });
  t.equal(await outcomeOf(connectDatabase(target, patient())), '08006');
});

t.test('ends with 08006 where the database goes away: unreachable, before S, behind S', async (t) => {
  const goes = await rawDatabase(t, (socket) => socket.destroy());
  t.equal(await outcomeOf(connectDatabase(goes, patient())), '08006');
  const goesLater = await rawDatabase(t, (socket) => {
    socket.write('S');
    socket.once('data', () => socket.destroy());
  });
  t.equal(await outcomeOf(connectDatabase(goesLater, patient())), '08006');
  const nobody = { ...goes, address: { ...goes.address, port: 1 } };
  t.equal(await outcomeOf(connectDatabase(nobody, patient())), '08006');
});

t.test('waits for a silent database until its signal aborts, and closes', async (t) => {
  for (const answer of ['', 'S']) {
    const giveUp = new AbortController();
    const closed = Promise.withResolvers<void>();
    const target = await rawDatabase(t, (socket) => {
      if (answer) socket.write(answer);
      socket.resume().once('close', () => closed.resolve());
      giveUp.abort(new RangeError('late'));
    });
    await t.rejects(connectDatabase(target, giveUp.signal), { message: 'late' });
    await closed.promise;
  }
});

t.test('passes a request to cancel on byte for byte, whether the database closes or breaks', async (t) => {
  const packet = Buffer.from('0000001004d2162e0000000701020304', 'hex');
  for (const end of ['end', 'destroy'] as const) {
    const got = Promise.withResolvers<Buffer>();
    const target = await lyingDatabase(t, (socket, first) => {
      got.resolve(first);
      socket[end]();
    });
    await cancelAt(target, packet, patient());
    t.same(await got.promise, packet);
  }
});
