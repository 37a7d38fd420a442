/** HTTP egress on an enclave machine: the proxy, and names that lead out in the root of the application, for a program without a capability. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t from 'tap';
import { request } from 'undici';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { AppMachine } from './support/app-machine.ts';

const outside = createServer((socket: Socket) => socket.end('from outside')).listen(0, '127.0.0.1');
await once(outside, 'listening');
t.teardown(() => outside.close());
const { port } = outside.address() as unknown as TcpEndpoint;

const allow = [`127.0.0.1:${port}`, 'nowhere.invalid', '*.wild.invalid'];
const machine = await AppMachine.serve(t, {
  enclave: {
    programs: { web: { command: ['node', '/probe/probe.ts'], probe: { http: 'http://127.0.0.1/' } } },
    ingress: { web: { to: 'tcp://127.0.0.1:80', vsockPort: 8080 } },
    egress: { http: { allow, transparent: {} } },
    health: { maxClockJumpMs: 3_600_000, probeTimeoutMs: 30_000 },
  },
  host: {
    ingress: { web: { listen: 'tcp://127.0.0.1:0', vsockPort: 8080 } },
    egress: { http: { allow: ['127.0.0.0/8:1-65535', '**.invalid'] } },
  },
});

async function ask(path: string): Promise<string> {
  const { host, port: open } = machine.address;
  const { body } = await request(`http://${host}:${open}/${path}`);
  return body.text();
}

t.test('leads out by the proxy that the environment names, to what the list allows alone', async (t) => {
  t.equal(await ask(`proxied/127.0.0.1:${port}`), 'from outside');
  for (const target of ['127.0.0.1:1', '169.254.169.254:80', 'other.invalid:443'])
    t.equal(await ask(`proxied/${target}`), '403', target);
});

t.test('resolves allowed names to addresses that lead to the parent, which resolves them itself', async (t) => {
  // There is no such name on the parent, so that the connection is reset.
  t.equal(await ask('named/nowhere.invalid'), '127.64.0.1 ECONNRESET');
  t.equal(await ask('named/one.wild.invalid'), '127.64.0.2 ECONNRESET');
  t.equal(await ask('named/other.invalid'), 'ENOTFOUND');
  await machine.untilRecord(
    ({ event, fields }) => event === 'egress.refused' && fields?.['code'] === 'EGRESS_UNRESOLVED',
  );
});
