/** Resets are counted by error and by how far a connection had come; a row of them on vsock is explained (docs/vsock-kernels.md). */
import t from 'tap';
import { Listener } from '../../relay/worker/listener.ts';
import { noteReset } from '../../relay/worker/resets.ts';
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from '../../system/libc/socket-constants.ts';
import { parseEndpoint } from '../../wire/endpoint.ts';
import { route } from './support/relay.ts';
import { ScriptedEngine } from './support/scripted-engine.ts';
import type { Errno } from './support/scripted-sockets.ts';
import { ScriptedSocket } from './support/scripted-sockets.ts';

const TO_ENCLAVE = 'vsock://16:5432';
const none = {
  resetsAtAccept: 0,
  resetsAtConnect: 0,
  resetsOpen: 0,
  noBuffersAtAccept: 0,
  noBuffersAtConnect: 0,
  noBuffersOpen: 0,
};

function relayTo(connect = TO_ENCLAVE): ScriptedEngine {
  return new ScriptedEngine(route({ connect }));
}

function dial(relay: ScriptedEngine, error?: Errno): { down: ScriptedSocket; up: ScriptedSocket } {
  const up = new ScriptedSocket();
  up.error = error;
  relay.sockets.upstreams.push(up);
  const down = relay.connect();
  relay.turn([up, error === undefined ? EPOLLOUT : EPOLLOUT | EPOLLERR | EPOLLHUP]);
  return { down, up };
}

function toldOfRow(relay: ScriptedEngine): unknown[] {
  return relay.records.filter(({ event }) => event === 'relay.connects-reset').map(({ fields }) => fields['count']);
}

t.test('counts a reset of an open connection, whichever call tells it', async (t) => {
  for (const [error, counter] of [
    ['ECONNRESET', 'resetsOpen'],
    ['ENOBUFS', 'noBuffersOpen'],
  ] as const) {
    const relay = relayTo();
    const read = dial(relay);
    read.up.arriving = [error];
    relay.turn([read.up, EPOLLIN]);
    t.match(relay.counters, { ...none, [counter]: 1 });
    const written = dial(relay);
    written.up.taking = [error];
    written.down.arriving = [Buffer.from('query')];
    relay.turn([written.down, EPOLLIN]);
    t.match(relay.counters, { ...none, [counter]: 2 });
  }
});

t.test('counts a reset at connect, told at once or later', async (t) => {
  const relay = relayTo();
  dial(relay, 'ECONNRESET');
  const refused = new ScriptedSocket();
  refused.connecting = 'ENOBUFS';
  relay.sockets.upstreams.push(refused);
  relay.connect();
  t.match(relay.counters, { ...none, resetsAtConnect: 1, noBuffersAtConnect: 1, connectFailed: 2 });
});

t.test('counts what accept() tells of', async (t) => {
  const relay = relayTo();
  const listening = new ScriptedSocket();
  const socket = { fd: relay.sockets.add(listening), endpoint: parseEndpoint(TO_ENCLAVE), unlink: () => undefined };
  const onError = (errno: number) => noteReset(relay.route, 'accept', errno);
  Listener.open(relay.engine, socket, () => undefined, onError);
  for (const error of ['ECONNRESET', 'ENOBUFS'] as const) {
    relay.sockets.accepts.push(error);
    relay.turn([listening, EPOLLIN]);
    relay.pass(1000);
  }
  t.match(relay.counters, { ...none, resetsAtAccept: 1, noBuffersAtAccept: 1 });
});

t.test('counts no other error', async (t) => {
  const relay = relayTo();
  dial(relay, 'ECONNREFUSED');
  const { up } = dial(relay);
  up.arriving = ['ETIMEDOUT'];
  relay.turn([up, EPOLLIN]);
  t.match(relay.counters, none);
});

t.test('says what it probably is when every new connection is reset, at each doubling', async (t) => {
  const relay = relayTo();
  dial(relay);
  for (let attempt = 0; attempt < 40; attempt++) dial(relay, 'ECONNRESET');
  t.same(toldOfRow(relay), [8, 16, 32]);
  const [record] = relay.records.filter(({ event }) => event === 'relay.connects-reset');
  t.match(record, { level: 'warn', fields: { route: 'route', reason: /accept queue .*CVE-2026-46214/ } });
  dial(relay);
  for (let attempt = 0; attempt < 7; attempt++) dial(relay, 'ECONNRESET');
  t.equal(toldOfRow(relay).length, 3, 'one that is taken ends the row');
});

t.test('says nothing of it before a connection was taken, nor of other transports', async (t) => {
  const starting = relayTo();
  for (let attempt = 0; attempt < 20; attempt++) dial(starting, 'ECONNRESET');
  const tcp = relayTo('tcp://192.0.2.1:5432');
  dial(tcp);
  for (let attempt = 0; attempt < 20; attempt++) dial(tcp, 'ECONNRESET');
  t.same([toldOfRow(starting), toldOfRow(tcp)], [[], []]);
  t.equal(tcp.counters.resetsAtConnect, 20, 'though it is counted');
});
