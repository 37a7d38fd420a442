/** What a kernel makes of the buffer that vsock sockets ask for is read back, and told once a route where it is less (relay.md, K16). */
import t from 'tap';
import { vsockBufferOf } from '../../relay/worker/vsock-buffers.ts';
import { VSOCK_BUFFER_BYTES } from '../../system/libc/vsock-buffer.ts';
import { route } from './support/relay.ts';
import { ScriptedEngine } from './support/scripted-engine.ts';

function told(spec: { listen?: string; connect: string }, bytes: number, listener?: number) {
  const relay = new ScriptedEngine(route(spec));
  const asked: number[] = [];
  relay.sockets.bufferBytes = (fd) => {
    asked.push(fd);
    return bytes;
  };
  const found = vsockBufferOf(relay.engine, relay.route, listener);
  return { found, asked, records: relay.records, openCount: relay.sockets.openCount };
}

const DIALLED = { connect: 'vsock://3:5000' };
const HEARD = { listen: 'vsock://any:5000', connect: 'unix:///run/up' };

t.test(
  'tells what a route’s vsock sockets have: its listener’s, or one’s that is like those it will dial',
  async (t) => {
    t.match(told(HEARD, VSOCK_BUFFER_BYTES, 77), { found: VSOCK_BUFFER_BYTES, asked: [77], records: [] });
    const reserve = 1;
    t.match(told(DIALLED, VSOCK_BUFFER_BYTES), { found: VSOCK_BUFFER_BYTES, records: [], openCount: reserve });
  },
);

t.test('warns, and goes on, where the kernel gives less', async (t) => {
  const { found, records } = told(DIALLED, 262_144);
  t.equal(found, 262_144);
  t.match(records, [
    { level: 'warn', event: 'relay.vsock-buffer', fields: { bytes: 262_144, wantedBytes: VSOCK_BUFFER_BYTES } },
  ]);
});

t.test('says nothing of routes without vsock, nor where nobody tells', async (t) => {
  t.match(told({ connect: 'tcp://192.0.2.1:1' }, 1), { found: undefined, asked: [], records: [] });
  t.match(told(DIALLED, -1), { found: undefined, records: [] });
});
