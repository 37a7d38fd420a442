/** Bytes of clients through TLS to a program and back. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import { parseProxyHeader } from '../../../wire/proxy-protocol.ts';
import { noise } from '../../relay/support/noise.ts';
import { echoes, readAll, readBytes } from '../../relay/support/sockets.ts';
import { closed } from '../../support/closed.ts';
import { PortsRig } from './support/ports-rig.ts';
import { byteProgram, echoProgram, nobody } from './support/programs.ts';

const MIB = 1024 * 1024;

t.test('keeps every byte, both ways at once', async (t) => {
  const { port } = await echoProgram(t);
  const rig = await PortsRig.start(t, { programPort: port });
  const bytes = noise('ports', 3_000_000);
  const secured = await rig.secure();
  const back = readAll(secured);
  secured.end(bytes);
  t.ok((await back).equals(bytes));
});

t.test('passes on the end of one side while the other goes on', async (t) => {
  const { port } = await byteProgram(t, (socket) => {
    void readAll(socket).then((all) => socket.end(`you said ${all}`));
  });
  const rig = await PortsRig.start(t, { programPort: port });
  const client = await rig.secure();
  client.allowHalfOpen = true;
  client.end('all of it');
  t.equal(String(await readAll(client)), 'you said all of it');
  const early = await byteProgram(t, (socket) => void socket.end('no questions'));
  const other = await PortsRig.start(t, { programPort: early.port });
  const listener = await other.secure();
  listener.allowHalfOpen = true;
  t.equal(String(await readAll(listener)), 'no questions');
  listener.end('but answers');
  const [program] = early.sockets;
  t.equal(String(await readAll(program as Socket)), 'but answers');
});

t.test('lets a program speak first', async (t) => {
  const { port } = await byteProgram(t, (socket) => void socket.write('220 ready'));
  const rig = await PortsRig.start(t, { programPort: port });
  t.same(await readBytes(await rig.secure(), 9), Buffer.from('220 ready'));
});

t.test('holds back whoever sends more than the other side reads', async (t) => {
  const { port, sockets } = await byteProgram(t, (socket) => void socket.pause());
  const rig = await PortsRig.start(t, { programPort: port });
  const other = await PortsRig.start(t, { programPort: (await echoProgram(t)).port });
  const [client, beside] = [await rig.secure(), await other.secure()];
  let isRead = false;
  const sent = new Promise<boolean>((resolve) => void client.write(Buffer.alloc(64 * MIB), () => resolve(isRead)));
  for (let round = 0; round < 300; round += 1) await echoes(beside);
  isRead = true;
  sockets[0]?.resume();
  t.ok(await sent);
});

t.test('ends both connections when either breaks', async (t) => {
  const { port, sockets } = await echoProgram(t);
  const rig = await PortsRig.start(t, { programPort: port });
  const client = await rig.secure();
  client.write('x');
  await once(client, 'data');
  sockets[0]?.resetAndDestroy();
  await closed(client);
  const second = await rig.secure();
  second.write('x');
  await once(second, 'data');
  second.destroy();
  await closed(sockets[1] as Socket);
  t.pass();
});

t.test('tells the program whose connection it is, where it wants to know', async (t) => {
  const { port } = await echoProgram(t);
  const rig = await PortsRig.start(t, { programPort: port, proxyProtocol: true });
  for (const [address, header] of [
    ['192.0.2.7', { kind: 'proxied', source: { address: '192.0.2.7', port: 5 } }],
    ['2001:db8::7', { kind: 'proxied', source: { address: '2001:db8::7', port: 5 } }],
  ] as const) {
    const client = await rig.secure({}, address);
    client.end('bytes');
    const all = await readAll(client);
    const found = parseProxyHeader(all);
    t.match(found, header);
    t.equal(all.toString('latin1', 'headerBytes' in found ? found.headerBytes : 0), 'bytes');
  }
});

t.test('closes clients of a program that is not there, counts them, and serves when it is', async (t) => {
  const rig = await PortsRig.start(t, { programPort: await nobody(t) });
  await closed(await rig.secure());
  t.match(rig.logger.records.at(-1), { event: 'port.program-away', fields: { port: 'web' } });
});

t.test('serves a thousand clients at once', { timeout: 120_000 }, async (t) => {
  const { port } = await echoProgram(t);
  const rig = await PortsRig.start(t, { programPort: port });
  const clients = [];
  for (let batch = 0; batch < 20; batch += 1) {
    clients.push(...(await Promise.all(Array.from({ length: 50 }, () => rig.secure()))));
  }
  const answers = clients.map((client, index) => readBytes(client.resume().pause(), 4 + `${index}`.length));
  for (const [index, client] of clients.entries()) client.write(`hey ${index}`);
  const texts = (await Promise.all(answers)).map(String);
  t.same(
    texts.filter((each, index) => each !== `hey ${index}`),
    [],
  );
});
