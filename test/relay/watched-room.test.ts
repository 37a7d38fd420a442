/** What a socket is watched for: room to write wakes the relay only where something waits for it (relay.md, K15). */
import t from 'tap';
import { QUIET_EVENTS, SOCKET_EVENTS } from '../../relay/worker/engine.ts';
import { EPOLLIN, EPOLLOUT } from '../../system/libc/socket-constants.ts';
import { route } from './support/relay.ts';
import { ScriptedEngine } from './support/scripted-engine.ts';
import { ScriptedSocket } from './support/scripted-sockets.ts';

function open() {
  const relay = new ScriptedEngine(route({ connect: 'tcp://192.0.2.1:5432' }));
  const up = new ScriptedSocket();
  relay.sockets.upstreams.push(up);
  const down = relay.connect();
  relay.turn([up, EPOLLOUT]);
  return { relay, down, up };
}

t.test('watches for room only where something waits for it, once reports of it were in vain', async (t) => {
  const { relay, down, up } = open();
  const [fd] = [...relay.sockets.all].find(([, socket]) => socket === up) ?? [];
  const watched = () => relay.poll.changes.filter(([changed]) => changed === fd).map(([, events]) => events);
  for (let report = 0; report < 3; report++) relay.turn([up, EPOLLOUT]);
  t.same(watched(), [], 'not at the first of them');
  for (let report = 0; report < 3; report++) relay.turn([up, EPOLLOUT]);
  t.same(watched(), [QUIET_EVENTS]);
  down.arriving = [Buffer.from('query')];
  up.taking = [2];
  relay.turn([down, EPOLLIN]);
  t.same(watched(), [QUIET_EVENTS, SOCKET_EVENTS]);
  relay.turn([up, EPOLLOUT]);
  t.equal(up.sentText, 'query');
  relay.turn([up, EPOLLOUT]);
  t.equal(watched().length, 2, 'counted anew since');
});

t.test('watches for room as long as it is reported beside bytes', async (t) => {
  const { relay, down } = open();
  for (let report = 0; report < 10; report++) {
    down.arriving = [Buffer.from('query')];
    relay.turn([down, EPOLLIN | EPOLLOUT]);
  }
  t.same(relay.poll.changes, [], 'it costs nothing there');
});
