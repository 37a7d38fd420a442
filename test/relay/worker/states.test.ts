/** The states of a connection: only the moves that states.ts draws. */
import t from 'tap';
import { Side } from '../../../relay/worker/connection.ts';
import type { StateName } from '../../../relay/worker/states.ts';
import { mayFollow } from '../../../relay/worker/states.ts';
import { EPOLLOUT } from '../../../system/libc/socket-constants.ts';
import { route } from '../support/relay.ts';
import { ScriptedEngine } from '../support/scripted-engine.ts';
import { ScriptedSocket } from '../support/scripted-sockets.ts';

const WAYS: readonly (readonly StateName[])[] = [
  ['accepted', 'dialling', 'open', 'closed'],
  ['accepted', 'dialling', 'hybrid-answer', 'open', 'closed'],
  ['accepted', 'postgres-opening', 'dialling', 'hybrid-answer', 'open', 'closed'],
  ['accepted', 'postgres-startup', 'dialling', 'postgres-answer', 'postgres-first-record', 'open', 'closed'],
  ['accepted', 'postgres-startup', 'dialling', 'postgres-cancel', 'closed'],
  ['accepted', 'proxy-header', 'postgres-opening', 'dialling', 'open', 'closed'],
  ['accepted', 'proxy-header', 'postgres-startup', 'dialling', 'postgres-cancel', 'closed'],
  ['accepted', 'proxy-header', 'dialling', 'open', 'closed'],
  ['accepted', 'http-request', 'dialling', 'open', 'closed'],
];
const ALL = [...new Set(WAYS.flat())];

t.test('allows every way that a connection takes, and its end from everywhere', async (t) => {
  for (const way of WAYS) {
    way.slice(1).forEach((to, index) => {
      t.ok(mayFollow(way[index] ?? 'closed', to), `${way[index]} to ${to}`);
    });
  }
  for (const state of ALL) t.equal(mayFollow(state, 'closed'), state !== 'closed', `${state} to closed`);
});

t.test('allows no way back and none around a preface', async (t) => {
  for (const state of ALL) {
    t.notOk(mayFollow('closed', state));
    t.notOk(mayFollow('open', state) && state !== 'closed');
    t.notOk(mayFollow(state, 'accepted'));
  }
  t.notOk(mayFollow('accepted', 'open'));
  t.notOk(mayFollow('postgres-startup', 'open'));
  t.notOk(mayFollow('postgres-answer', 'open'));
});

t.test('rejects any other move of a connection (RELAY_STATE), which then ends alone', async (t) => {
  const relay = new ScriptedEngine(route({ connect: 'tcp://192.0.2.1:5432' }));
  const [up, other] = [new ScriptedSocket(), new ScriptedSocket()];
  relay.sockets.upstreams.push(up, other);
  const connections = [relay.connect(), relay.connect()];
  relay.turn([up, EPOLLOUT], [other, EPOLLOUT]);
  const side = [...relay.poll.targets()].find(({ fd }) => relay.sockets.all.get(fd) === up);
  if (!(side instanceof Side)) throw new Error('no side');
  const { connection } = side;
  try {
    connection.enter(relay.engine, { ...connection.stage, name: 'dialling' }, 0);
    t.fail('went back');
  } catch (error) {
    t.match(error, { code: 'RELAY_STATE' });
    side.abandon(relay.engine, error);
  }
  t.match(relay.counters, { active: 1, errors: 1 });
  t.same(
    connections.map(({ ends }) => ends.length),
    [1, 0],
  );
});
