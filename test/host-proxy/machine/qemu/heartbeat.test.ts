import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { EnclaveError } from '../../../../host-proxy/machine/errors.ts';
import { HeartbeatListener } from '../../../../host-proxy/machine/qemu/heartbeat.ts';
import { closed } from '../../../support/closed.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

async function listening(t: TapTest) {
  const path = join(temporaryFolder(t), 'vm');
  writeFileSync(`${path}_9000`, 'left behind');
  const heartbeat = new HeartbeatListener(path);
  await heartbeat.start();
  t.teardown(() => heartbeat.stop());
  return { heartbeat, socket: createConnection({ path: `${path}_9000` }) };
}

t.test('answers 0xB7 with 0xB7', async (t) => {
  const { heartbeat, socket } = await listening(t);
  socket.write(Buffer.from([0xb7]));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  t.same(answer, Buffer.from([0xb7]));
  await heartbeat.heard;
  await closed(socket);
});

for (const [what, bytes] of [
  ['another byte', Buffer.from([0xb8])],
  ['more than a byte', Buffer.from([0xb7, 0xb7])],
  ['no byte', Buffer.alloc(0)],
] as const) {
  t.test(`rejects ${what} (ENCLAVE_HEARTBEAT_WRONG)`, async (t) => {
    const { heartbeat, socket } = await listening(t);
    socket.on('error', () => undefined).resume();
    socket.end(bytes);
    await rejectsCode(() => heartbeat.heard, EnclaveError, 'ENCLAVE_HEARTBEAT_WRONG');
  });
}

t.test('lets only the first connection count', async (t) => {
  const { heartbeat, socket } = await listening(t);
  socket.write(Buffer.from([0xb7]));
  await heartbeat.heard;
  const late = createConnection({ path: heartbeat.path });
  late.end(Buffer.from([0x00]));
  await closed(late);
  await heartbeat.heard;
});

t.test('stops with a connection open', async (t) => {
  const { heartbeat, socket } = await listening(t);
  await once(socket, 'connect');
  const ended = closed(socket);
  await heartbeat.stop();
  await ended;
});
