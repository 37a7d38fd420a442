/** What strangers may take of a port: never the places of others, nor their time. */
import { connect as connectTls, type TLSSocket } from 'node:tls';
import t from 'tap';
import { ATTESTATION_ALPN } from '../../../wire/requests/bounds.ts';
import { wholeClientHello } from '../../abuse/support/client-hello.ts';
import { OwnRecords } from '../../abuse/support/own-records.ts';
import { echoes } from '../../relay/support/sockets.ts';
import { closed } from '../../support/closed.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { client } from './support/http-client.ts';
import { HERE, PortsRig, type RigOptions } from './support/ports-rig.ts';
import { echoProgram, httpProgram } from './support/programs.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const THERE = '198.51.100.9';

async function started(t: Parameters<typeof PortsRig.start>[0], options: Partial<RigOptions> = {}) {
  const clock = new FakeClock(Date.now());
  const { port, sockets } = await echoProgram(t);
  const rig = await PortsRig.start(t, { programPort: port, clock, ...options });
  return { rig, clock, sockets };
}

/** Through to the program: then it has its place for good. */
async function serve(rig: PortsRig, address?: string): Promise<TLSSocket> {
  const client = await rig.secure({}, address);
  t.ok(await echoes(client));
  return client;
}

t.test('closes who does not end his handshake in time, whatever he has sent, while others are served', async (t) => {
  const { rig, clock, sockets } = await started(t, { limits: { handshakeMs: 5_000 } });
  const hello = await wholeClientHello({});
  const waiting = [await rig.dialBare(), await rig.dial(), await rig.dial(), await rig.dial()];
  waiting[2]?.write(hello.subarray(0, 100));
  waiting[3]?.write(hello);
  await serve(rig);
  for (const socket of waiting) socket.resume();
  let passedMs = 0;
  for (; waiting.some((socket) => !socket.closed); passedMs += 500) {
    clock.advance(500);
    await turn();
  }
  t.ok(passedMs >= 5_000);
  t.equal(sockets.length, 1);
});

t.test('makes room for one more by who has said nothing for longest, of the address that has most', async (t) => {
  const { rig } = await started(t, { limits: { maxPending: 3 } });
  const silent = [];
  for (let each = 0; each < 3; each += 1) {
    silent.push(await rig.dial(THERE));
    await turn();
  }
  await serve(rig);
  await Promise.race(silent.map(closed));
  t.equal(silent.filter((socket) => socket.destroyed).length, 1);
});

t.test('refuses more clients than it may have, and of one address; those that are there stay', async (t) => {
  const { rig } = await started(t, { limits: { maxConnections: 3, maxConnectionsPerAddress: 2 } });
  const here = [await serve(rig), await serve(rig)];
  await closed(await rig.handshake());
  const there = await serve(rig, THERE);
  await closed(await rig.handshake({}, '203.0.113.5'));
  for (const client of [...here, there]) t.ok(await echoes(client));
  const reasons = rig.logger.records.map(({ fields }) => fields['reason']);
  t.match(reasons, [/too many connections from this address/, /too many connections: at most 3/]);
});

t.test(
  'makes room for one more by clients that are owed nothing: idle, or with a body that does not come',
  async (t) => {
    const asked: string[] = [];
    const { port: programPort } = await httpProgram(t, (request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/now') response.end('now');
    });
    const rig = await PortsRig.start(t, { programPort, protocol: 'http', limits: { maxConnections: 4 } });
    const silent = await rig.secure({}, THERE);
    const idle = await rig.secure({}, THERE);
    t.equal((await client(idle)({ path: '/now' })).body, 'now');
    const owed = await rig.secure({}, THERE);
    owed.write('GET /owed HTTP/1.1\r\nHost: a\r\n\r\n');
    const uploads = await rig.secure({}, THERE);
    uploads.write('POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx');
    while (asked.length < 3) await turn();
    for (const gone of [silent, idle, uploads]) {
      const newcomer = await rig.secure({}, HERE);
      await closed(gone);
      newcomer.write('GET /owed HTTP/1.1\r\nHost: a\r\n\r\n');
      while (asked.length < 4) await turn();
      asked.pop();
    }
    await closed(await rig.handshake({}, HERE));
    t.notOk(owed.destroyed, 'who waits for an answer stays, and the newcomer is refused');
    t.match(rig.logger.records.at(-1), { fields: { reason: /too many connections: at most 4/ } });
  },
);

t.test('makes room for one more client of bytes by one that has said none', async (t) => {
  const { rig } = await started(t, { limits: { maxConnections: 2 } });
  const speaks = await serve(rig, THERE);
  const silent = await rig.secure({}, THERE);
  await serve(rig);
  await closed(silent);
  t.ok(await echoes(speaks));
});

t.test('keeps who asked for attestation before him whose address came for nothing', async (t) => {
  const { rig } = await started(t, { limits: { maxPending: 3 } });
  const suspects = [];
  for (let each = 0; each < 3; each += 1) suspects.push(await rig.dial('203.0.113.5'));
  const socket = await rig.dial(THERE);
  // It has its place, and says what it wants only now.
  await Promise.race(suspects.map(closed));
  const asker = connectTls({ socket, ca: rig.authority.pem, ALPNProtocols: [ATTESTATION_ALPN] });
  asker.on('error', () => undefined).on('secureConnect', () => asker.destroy());
  await closed(asker);
  const again = await rig.dial(THERE);
  const others = [await rig.dial(HERE), await rig.dial(HERE)];
  await Promise.all(suspects.map(closed));
  await serve(rig, '203.0.113.9');
  await Promise.race(others.map(closed));
  t.notOk(again.destroyed);
});

t.test('hears nobody of an address that fails without end, until the second is over', async (t) => {
  const { rig, clock } = await started(t);
  for (let failure = 0; failure < 20; failure += 1) {
    const socket = await rig.dial();
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await closed(socket);
  }
  t.ok(rig.logger.events().includes('port.unheard'));
  const logged = rig.logger.records.length;
  await closed(await rig.handshake());
  t.equal(rig.logger.records.length, logged);
  await serve(rig, THERE);
  clock.advance(1_000);
  await serve(rig);
});

t.test('ends a client that changes its keys without a word', async (t) => {
  const { rig, clock } = await started(t);
  const { authority } = rig;
  const records = await OwnRecords.over(await rig.dial(HERE), { ca: authority.pem, servername: 'records.test' });
  records.askForKeys(2_000);
  records.socket.resume();
  while (!records.socket.closed) {
    clock.advance(20);
    await turn();
  }
  t.ok(rig.logger.events().includes('port.unheard'));
});

t.test('rejects what comes without a word of the parent, whose connection it is', async (t) => {
  const { rig, sockets } = await started(t);
  const bare = await rig.dialBare();
  bare.write(await wholeClientHello({}));
  await closed(bare);
  t.equal(sockets.length, 0);
  t.match(rig.logger.records.at(-1), { event: 'port.refused', fields: { reason: /did not say whose connection/ } });
});
