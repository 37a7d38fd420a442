/** The parent's end alone: what it takes for a request, and what becomes of others (docs/specs/egress.md, 4). */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { appEgressSection } from '../../../config/app/egress.ts';
import { HostEgress } from '../../../host-proxy/egress/host-egress.ts';
import { encodeFrame } from '../../../wire/control/frame.ts';
import { egressRequest, parseEgressAnswer } from '../../../wire/egress/messages.ts';
import { readEgressFrame } from '../../../wire/egress/read-frame.ts';
import { everything, rest } from '../../supervisor/egress/support/raw-client.ts';
import { listenAnywhere } from '../../supervisor/egress/support/targets.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const { signal } = new AbortController();
const limits = appEgressSection.parse({ http: { allow: [] } }).http!.limits;

async function startHost(t: { teardown(fn: () => unknown): void }, allow: readonly string[], clock = new FakeClock()) {
  const socketPath = join(temporaryFolder(t), 'egress.sock');
  const logger = new MemoryLogger();
  const resolver = {
    resolve: async () => ({ addresses: [{ family: 4 as const, address: '127.0.0.1' }], ttlMs: 0 }),
  };
  const host = new HostEgress({ section: { allow, deny: [] }, socketPath, limits, clock, logger, resolver });
  await host.start(signal);
  t.teardown(() => host.stop());
  const open = async (): Promise<Socket> => {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  };
  return { host, clock, logger, open };
}

t.test('connects what its list allows, tells the address, and carries bytes', async (t) => {
  const target = await listenAnywhere(
    t,
    (socket) => void everything(socket).then((all) => socket.end(all.toUpperCase())),
  );
  const { host, open } = await startHost(t, [`db.example:${target}`, `127.0.0.1:${target}`]);
  const socket = await open();
  socket.end(Buffer.concat([encodeFrame(egressRequest({ host: 'DB.example.', port: target })), Buffer.from('early')]));
  t.match(parseEgressAnswer(await readEgressFrame(socket, signal)), { type: 'connected', address: '127.0.0.1' });
  t.equal(await rest(socket), 'EARLY');
  t.match(host.status.outcomes, { connected: 1 });
});

t.test('refuses with a code, and ends', async (t) => {
  const { host, logger, open } = await startHost(t, ['db.example']);
  for (const [request, code] of [
    [{ host: 'other.example', port: 443 }, 'EGRESS_HOST_UNLISTED'],
    [{ host: 'db.example', port: 80 }, 'EGRESS_HOST_UNLISTED'],
    [{ host: 'db.example', port: 443 }, 'EGRESS_ADDRESS'],
    [{ host: '127.1', port: 443 }, 'EGRESS_TARGET'],
    [{ host: '127.0.0.1', port: 443 }, 'EGRESS_ADDRESS'],
  ] as const) {
    const socket = await open();
    socket.write(encodeFrame(egressRequest(request)));
    t.match(parseEgressAnswer(await readEgressFrame(socket, signal)), { type: 'refused', code }, code);
    t.equal(await rest(socket), '');
  }
  t.same(host.status, { open: 0, outcomes: { unlisted: 2, address: 2, target: 1 } });
  t.match(logger.records[0], {
    event: 'egress.refused',
    fields: { code: 'EGRESS_HOST_UNLISTED', found: 'other.example:443' },
  });
});

t.test('answers nothing that is no request of this release', async (t) => {
  const { host, open } = await startHost(t, ['db.example']);
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\0\0\0\x02{}', '\0\0\0\x04null', '\xff\xff\xff\xff', '\0\0\0\0']) {
    const socket = await open();
    socket.write(bytes, 'latin1');
    t.equal(await rest(socket), '', JSON.stringify(bytes));
  }
  t.same(host.status.outcomes, { malformed: 5 });
});

t.test('waits for a request for as long as for a preface, and no longer', async (t) => {
  const { host, clock, open } = await startHost(t, ['db.example']);
  const socket = await open();
  socket.write('\0\0');
  await clock.untilSleeping();
  clock.advance(limits.prefaceTimeoutMs);
  t.equal(await rest(socket), '');
  t.same(host.status.outcomes, { abandoned: 1 });
});

t.test('cuts what is open when it stops', async (t) => {
  const target = await listenAnywhere(t, () => undefined);
  const { host, open } = await startHost(t, [`db.example:${target}`, `127.0.0.1:${target}`]);
  const socket = await open();
  socket.write(encodeFrame(egressRequest({ host: 'db.example', port: target })));
  await readEgressFrame(socket, signal);
  const after = rest(socket);
  await host.stop();
  t.equal(await after, '');
});
