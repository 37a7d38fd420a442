/** Programs that ignore proxies: an allowed name resolves to an address that leads out, and nothing else does. */
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { decode, encode } from 'dns-packet';
import t from 'tap';
import { uint } from '../../support/hostile-bytes.ts';
import { LOOPBACK, startEnds } from './support/both-ends.ts';
import { connectTo, everything, rest } from './support/raw-client.ts';
import { listenAnywhere } from './support/targets.ts';

const NAMES = { 'db.example': ['127.0.0.1'], 'a.wild.example': ['127.0.0.1'], 'b.wild.example': ['127.0.0.1'] };
/** A network for each test process, so that ports do not meet. */
const network = `127.${64 + (process.pid % 128)}.${(process.pid >> 7) % 256}.0/24`;

async function transparentEnds(t: { teardown(fn: () => unknown): void }, allow: (port: number) => readonly string[]) {
  const target = await listenAnywhere(t, (socket) => void everything(socket).then((all) => socket.end(`got ${all}`)));
  const enclave = { allow: [...allow(target), LOOPBACK], deny: ['bad.wild.example:1-65535'], transparent: { network } };
  const ends = await startEnds(t, { enclave, names: NAMES });
  const dns = ends.enclave.dnsAddress;
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${dns?.port}`]);
  return { ...ends, target, resolver, dnsPort: dns?.port ?? 0 };
}

t.test('leads a connection to the address of an allowed name out', async (t) => {
  const { resolver, target, enclave } = await transparentEnds(t, (port) => [`db.example:${port}`]);
  const [address = ''] = await resolver.resolve4('db.example');
  t.ok(address.startsWith(network.replace(/0\/24$/, '')));
  const socket = await connectTo(target, address);
  socket.end('hello');
  t.equal(await rest(socket), 'got hello');
  t.match(enclave.samples, [{ name: 'egress_requests_total', labels: { outcome: 'passed' }, value: 1 }]);
});

t.test(
  'gives names without wildcards their addresses before anybody asks, and others when they are asked for',
  async (t) => {
    const { resolver, enclave } = await transparentEnds(t, (port) => [`db.example:${port}`, `*.wild.example:${port}`]);
    const names = () => enclave.samples.find(({ name }) => name === 'egress_names')?.value;
    t.equal(names(), 1);
    const [first] = await resolver.resolve4('A.wild.EXAMPLE');
    t.same(await resolver.resolve4('a.wild.example'), [first], 'whatever the case');
    t.not((await resolver.resolve4('b.wild.example'))[0], first);
    t.equal(names(), 3);
    t.same(await resolver.resolve6('a.wild.example').catch(({ code }) => code), 'ENODATA');
  },
);

t.test('resolves no name that the list does not allow', async (t) => {
  const { resolver, enclave } = await transparentEnds(t, (port) => [`*.wild.example:${port}`]);
  for (const name of [
    'other.example',
    'wild.example',
    'x.y.wild.example',
    'bad.wild.example',
    'localhost',
    '127.0.0.1.wild.example',
  ])
    t.equal(await resolver.resolve4(name).catch(({ code }) => code), 'ENOTFOUND', name);
  t.equal(await resolver.resolvePtr('1.0.0.127.in-addr.arpa').catch(({ code }) => code), 'ENOTFOUND');
  t.match(
    enclave.samples.find(({ labels }) => labels['outcome'] === 'nxdomain'),
    { value: 7 },
  );
});

t.test('answers over TCP too, one query after the other', async (t) => {
  const { dnsPort } = await transparentEnds(t, (port) => [`db.example:${port}`]);
  const socket = connect({ port: dnsPort, host: '127.0.0.1' });
  const message = encode({ type: 'query', id: 9, questions: [{ type: 'A', name: 'db.example' }] });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  const framed = Buffer.concat([length, message]);
  socket.write(framed.subarray(0, 5));
  await new Promise(setImmediate);
  socket.end(Buffer.concat([framed.subarray(5), framed]));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const all = Buffer.concat(chunks);
  const first = decode(all.subarray(2, 2 + all.readUInt16BE(0)));
  t.match(first, { id: 9, answers: [{ type: 'A' }] });
  t.equal(all.length, 2 * (2 + all.readUInt16BE(0)));
});

t.test('cuts off who asks over TCP without end and reads no answer, and goes on', { timeout: 60_000 }, async (t) => {
  const { dnsPort, resolver } = await transparentEnds(t, (port) => [`db.example:${port}`]);
  const socket = connect({ port: dnsPort, host: '127.0.0.1' }).on('error', () => undefined);
  // Long, so that answers are.
  const name = Array.from({ length: 4 }, () => 'x'.repeat(60)).join('.');
  const message = encode({ type: 'query', id: 9, questions: [{ type: 'A', name }] });
  const queries = Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.concat([uint(message.length, 2), message])));
  const gone = new Promise((resolve) => socket.once('close', resolve));
  const ask = () => {
    while (socket.writable && socket.write(queries));
  };
  socket.pause().on('drain', ask);
  ask();
  await gone;
  t.equal((await resolver.resolve4('db.example')).length, 1);
});

t.test('does not answer what is no query, and goes on', async (t) => {
  const { dnsPort, resolver } = await transparentEnds(t, (port) => [`db.example:${port}`]);
  const udp = createSocket('udp4');
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(65_000, 0xff)])
    await new Promise((resolve) => udp.send(bytes, dnsPort, '127.0.0.1', resolve));
  const socket = connect({ port: dnsPort, host: '127.0.0.1' });
  socket.on('error', () => undefined).end(Buffer.from([0, 3, 1, 2, 3]));
  await once(socket, 'close');
  t.equal((await resolver.resolve4('db.example')).length, 1);
  udp.close();
});

t.test('resets a connection that the other end does not let out', async (t) => {
  const target = await listenAnywhere(t, () => undefined);
  const enclave = { allow: [`db.example:${target}`, LOOPBACK], transparent: { network } };
  const { enclave: own } = await startEnds(t, { enclave, host: { allow: [] } });
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${own.dnsAddress?.port}`]);
  const [address = ''] = await resolver.resolve4('db.example');
  const socket = await connectTo(target, address);
  const [error] = await once(socket, 'error');
  t.equal(error.code, 'ECONNRESET');
  t.match(own.samples, [{ labels: { outcome: 'host_unlisted' }, value: 1 }]);
});

t.test('tells programs’ resolvers where to ask', async (t) => {
  const { enclave } = await transparentEnds(t, (port) => [`db.example:${port}`]);
  t.equal(enclave.resolvConf, 'nameserver 127.0.0.1\noptions timeout:2 attempts:2\n');
});

t.test('does not start when the ports of a name without wildcards cannot be listened on', async (t) => {
  const taken = await listenAnywhere(t, () => undefined, network.replace(/0\/24$/, '1'));
  const enclave = { allow: [`db.example:${taken}`, LOOPBACK], transparent: { network } };
  await t.rejects(startEnds(t, { enclave, names: NAMES }), { code: 'EGRESS_BIND' });
});
