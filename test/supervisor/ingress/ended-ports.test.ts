/** The program of the ports as a supervised child: real processes, real TLS by the enclave's own key, and what ends on the way. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Test } from 'tap';
import t from 'tap';
import { appIngressSection } from '../../../config/app/ingress.ts';
import { restartSection } from '../../../config/supervision.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { EndedPorts } from '../../../supervisor/ingress/ended-ports.ts';
import { RotatableTlsKey } from '../../../supervisor/tls/rotatable-key.ts';
import { showSelfSigned } from '../../../supervisor/tls/self-signed.ts';
import { ServerCertificate } from '../../../supervisor/tls/server-certificate.ts';
import { encodeProxyHeader } from '../../../wire/proxy-protocol.ts';
import { askEnclave } from '../../../wire/requests/ask.ts';
import { ATTESTATION_ALPN } from '../../../wire/requests/bounds.ts';
import { echoes } from '../../relay/support/sockets.ts';
import { echoProgram } from '../../sessions/ports/support/programs.ts';
import { closed } from '../../support/closed.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { step } from '../../support/stack.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const NAME = 'records.test';

async function rig(t: Test) {
  const { port } = await echoProgram(t);
  const folder = temporaryFolder(t);
  const logger = new MemoryLogger();
  const shown = new ServerCertificate(logger);
  const deps = { clock: systemClock, random: systemRandom };
  const show = () => showSelfSigned({ name: 'app', names: [NAME], days: 1, key: () => key.shown }, shown, deps);
  const key = new RotatableTlsKey(logger, show);
  t.teardown(() => key[Symbol.dispose]());
  show();
  const to = `tcp://127.0.0.1:${port}`;
  const section = appIngressSection.parse({ one: { to, tls: 'ended' }, two: { to, tls: 'ended', vsockPort: 1 } });
  const ports = new EndedPorts({
    ports: new Map(Object.entries(section).map(([name, each]) => [name, { ...each, clientCaPem: undefined }])),
    restart: restartSection.parse({}),
    confine: (name) => {
      const own = join(folder, name);
      mkdirSync(own);
      return {
        folder: own,
        user: undefined,
        openDoor: () => own,
        enclose: () => undefined,
        clear: () => undefined,
        release: () => undefined,
      };
    },
    serverCertificate: shown,
    serverKey: () => key.shown.privateKey,
    answerRequest: async () => ({ type: 'attestation', document: 'ZG9j', statement: 'e30=' }),
    ...deps,
    logger,
    onFailure: (error) => void t.fail(String(error)),
  });
  t.teardown(() => ports.stop());
  await ports.start(step());
  const connect = async (name: string, options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const { address } = ports.targetOf(name) ?? {};
    const socket = createConnection(address?.path ?? '').on('error', () => undefined);
    socket.write(encodeProxyHeader({ address: '192.0.2.1', port: 5 }));
    const secured = connectTls({ socket, ca: shown.pem, servername: NAME, ...options }).on('error', () => undefined);
    t.teardown(() => secured.destroy());
    await once(secured, 'secureConnect');
    return secured;
  };
  return { ports, key, logger, connect };
}

async function untilTold(ports: EndedPorts, name: string, value: number): Promise<void> {
  const isTold = () => ports.samples.some((sample) => sample.name === name && sample.value === value);
  while (!isTold()) await new Promise((resolve) => setImmediate(resolve));
}

t.test('serves each port by the enclave’s key, tells what it counts, and answers for attestation', async (t) => {
  const { ports, connect } = await rig(t);
  t.equal(ports.targetOf('three'), undefined);
  for (const name of ['one', 'two']) t.ok(await echoes(await connect(name)), name);
  await untilTold(ports, 'port_connections', 1);
  const asking = await connect('one', { ALPNProtocols: [ATTESTATION_ALPN] });
  const request = { type: 'attest', nonce: Buffer.alloc(16).toString('base64') } as const;
  t.match(await askEnclave(asking, request, step()), { type: 'attestation', document: 'ZG9j' });
  await untilTold(ports, 'front_attestations_total', 1);
});

t.test('shows the certificate of another key to whoever comes, and lets those who are there stay', async (t) => {
  const { key, connect } = await rig(t);
  const before = await connect('one');
  const known = before.getPeerX509Certificate()?.fingerprint256;
  key.rotate();
  let shown = known;
  for (; shown === known; ) shown = (await connect('two').catch(() => before)).getPeerX509Certificate()?.fingerprint256;
  t.ok(await echoes(before));
  t.ok(await echoes(await connect('one')));
});

t.test('starts the program anew when it ends, on the same sockets', async (t) => {
  const { ports, connect, logger } = await rig(t);
  const client = await connect('one');
  process.kill(ports.member.child.pid ?? 0, 'SIGKILL');
  await closed(client);
  while (ports.member.child.restarts === 0 || ports.member.child.state.kind !== 'running')
    await new Promise((resolve) => setImmediate(resolve));
  t.ok(await echoes(await connect('one')));
  t.ok(logger.events().includes('child.exited'));
});

t.test('takes no more clients when it drains, and leaves those that there are', async (t) => {
  const { ports, connect } = await rig(t);
  const client = await connect('one');
  t.ok(await echoes(client));
  ports.drain();
  const { address } = ports.targetOf('one') ?? {};
  const isRefused = () =>
    new Promise<boolean>((resolve) => {
      const socket = createConnection(address?.path ?? '');
      socket.on('error', () => resolve(true));
      socket.on('connect', () => {
        socket.destroy();
        resolve(false);
      });
    });
  while (!(await isRefused()));
  t.ok(await echoes(client));
});
