/**
 * Orders of events that real sockets show too rarely to wait for, on scripted ones: nothing is lost, repeated or passed on after an
 * end that was not one, and nothing stays open (relay.md, must hold 1, 2, 4, 9, 10).
 */
import fc from 'fast-check';
import t from 'tap';
import type { RouteSpec } from '../../relay/route.ts';
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../system/libc/socket-constants.ts';
import { route } from './support/relay.ts';
import { ScriptedEngine } from './support/scripted-engine.ts';
import { ScriptedSocket } from './support/scripted-sockets.ts';

type Scene = { readonly relay: ScriptedEngine; readonly down: ScriptedSocket; readonly up: ScriptedSocket };

const bytes = (text: string) => Buffer.from(text, 'latin1');
const spec = (options: Partial<Parameters<typeof route>[0]> = {}): RouteSpec =>
  route({ connect: 'tcp://192.0.2.1:5432', ...options });

/** A connection whose upstream is still being connected to. */
function dialling(options: RouteSpec = spec()): Scene {
  const relay = new ScriptedEngine(options);
  const up = new ScriptedSocket();
  relay.sockets.upstreams.push(up);
  return { relay, up, down: relay.connect() };
}

function open(options: RouteSpec = spec()): Scene {
  const scene = dialling(options);
  scene.relay.turn([scene.up, EPOLLOUT]);
  return scene;
}

/** Everything that a connection took is given back. */
function isClean({ relay }: Scene): boolean {
  const { active, pending, silent } = relay.counters;
  const reserve = 1;
  return active + pending + silent === 0 && relay.sockets.openCount === reserve && relay.engine.deadlines.size === 0;
}

t.test('passes on bytes and end that came before the upstream could take anything', async (t) => {
  const scene = dialling();
  const { relay, down, up } = scene;
  down.arriving = [bytes('last words'), 'end'];
  relay.turn([down, EPOLLIN | EPOLLRDHUP]);
  t.same(up.sent, [], 'nothing is read while dialling');
  relay.turn([up, EPOLLOUT]);
  t.equal(up.sentText, 'last words');
  t.same(up.ends, ['shut']);
  t.same(down.ends, [], 'the other direction goes on');
  up.arriving = [bytes('answer'), 'end'];
  relay.turn([up, EPOLLIN | EPOLLRDHUP]);
  t.equal(down.sentText, 'answer');
  t.ok(isClean(scene));
  t.equal(relay.closeReason, 'finished');
});

t.test('reads on after a short read when the end was reported with it: no further event would tell', async (t) => {
  const { relay, down, up } = open();
  down.arriving = [bytes('few'), 'end'];
  relay.turn([down, EPOLLIN | EPOLLRDHUP]);
  t.equal(up.sentText, 'few');
  relay.turn();
  t.same(up.ends, ['shut']);
});

t.test('keeps an end back until the bytes before it are written', async (t) => {
  const { relay, down, up } = open();
  down.arriving = [bytes('abcdef'), 'end'];
  up.taking = [2];
  relay.turn([down, EPOLLIN | EPOLLRDHUP]);
  t.same([up.sentText, up.ends.length], ['ab', 0]);
  up.taking = [1];
  relay.turn([up, EPOLLOUT]);
  t.same([up.sentText, up.ends.length], ['abc', 0]);
  relay.turn([up, EPOLLOUT]);
  relay.turn();
  t.same([up.sentText, up.ends], ['abcdef', ['shut']]);
});

t.test('does not read a side while its peer is full, whatever is reported', async (t) => {
  const { relay, down, up } = open();
  down.arriving = [bytes('one'), bytes('two')];
  up.taking = [0];
  relay.turn([down, EPOLLIN]);
  relay.turn([down, EPOLLIN], [down, EPOLLIN | EPOLLRDHUP]);
  t.same(up.sent, []);
  t.same(down.arriving, [bytes('two')]);
  relay.turn([up, EPOLLOUT]);
  relay.turn();
  t.equal(up.sentText, 'onetwo');
});

t.test('takes wake-ups without a cause for nothing', async (t) => {
  const { relay, down, up } = open();
  relay.turn([down, EPOLLIN], [up, EPOLLIN], [down, EPOLLOUT], [up, EPOLLOUT], [down, 0]);
  t.match(relay.counters, { active: 1, bytesUp: 0, bytesDown: 0 });
  t.same([down.ends, up.ends], [[], []]);
  down.arriving = [bytes('x')];
  relay.turn([down, EPOLLIN]);
  t.equal(up.sentText, 'x');
});

t.test('waits on when a connecting socket wakes up without an error and without room', async (t) => {
  const { relay, up } = dialling();
  relay.turn([up, EPOLLIN], [up, EPOLLHUP]);
  t.match(relay.counters, { pending: 1, opened: 0, connectFailed: 0 });
  relay.turn([up, EPOLLOUT]);
  t.match(relay.counters, { pending: 0, opened: 1 });
});

t.test('takes the error of a connecting socket before its readiness', async (t) => {
  const scene = dialling();
  scene.up.error = 'ECONNREFUSED';
  scene.relay.turn([scene.up, EPOLLOUT | EPOLLERR | EPOLLHUP]);
  t.match(scene.relay.counters, { opened: 0, connectFailed: 1 });
  t.ok(isClean(scene));
});

t.test('goes on after EINTR: a read in the next turn, a write at once', async (t) => {
  const { relay, down, up } = open();
  down.arriving = ['EINTR', bytes('after a signal')];
  up.taking = ['EINTR', 5];
  relay.turn([down, EPOLLIN]);
  relay.turn();
  t.equal(up.sentText, 'after');
  up.taking = ['EINTR'];
  relay.turn([up, EPOLLOUT]);
  t.equal(up.sentText, 'after a signal');
});

t.test('aborts both sides on a reset, even while bytes wait for the other', async (t) => {
  const scene = open();
  const { relay, down, up } = scene;
  up.arriving = [bytes('rows')];
  down.taking = [0];
  relay.turn([up, EPOLLIN]);
  down.arriving = ['ECONNRESET'];
  relay.turn([down, EPOLLIN | EPOLLERR | EPOLLHUP], [up, EPOLLIN], [up, EPOLLOUT]);
  t.same([down.ends, up.ends], [['aborted'], ['aborted']]);
  t.match(relay.counters, { errors: 1 });
  t.equal(relay.closeReason, 'ECONNRESET');
  t.ok(isClean(scene));
});

t.test('aborts both sides when a read says ETIMEDOUT in the middle of a chunk', async (t) => {
  const scene = open();
  scene.down.arriving = [Buffer.alloc(224 * 1024, 'x'), 'ETIMEDOUT'];
  scene.relay.turn([scene.down, EPOLLIN]);
  t.equal(scene.up.sentText.length, 224 * 1024, 'what came before is passed on');
  t.same(scene.up.ends, ['aborted'], 'and is not taken for a whole stream');
  t.ok(isClean(scene));
});

t.test('passes on what a side still says after it takes nothing any more', async (t) => {
  const scene = open();
  const { relay, down, up } = scene;
  up.arriving = [bytes('FATAL: no such user'), 'end'];
  up.taking = ['EPIPE'];
  down.arriving = [bytes('query')];
  relay.turn([down, EPOLLIN]);
  relay.turn();
  t.equal(down.sentText, 'FATAL: no such user');
  t.equal(relay.closeReason, 'broken');
  t.same(down.ends, ['closed']);
  t.ok(isClean(scene));
});

t.test('closes when both sides take nothing any more, in one batch', async (t) => {
  const scene = open();
  const { relay, down, up } = scene;
  down.arriving = [bytes('to up')];
  up.arriving = [bytes('to down')];
  down.taking = ['EPIPE'];
  up.taking = ['ECONNRESET'];
  relay.turn([down, EPOLLIN], [up, EPOLLIN], [down, EPOLLHUP], [up, EPOLLHUP]);
  t.equal(relay.closeReason, 'broken');
  t.ok(isClean(scene));
});

t.test('does not starve the other side: after four whole chunks it is the others’ turn, without waiting', async (t) => {
  const { relay, down, up } = open();
  const chunk = Buffer.alloc(224 * 1024, 'x');
  down.arriving = Array.from({ length: 6 }, () => chunk);
  relay.turn([down, EPOLLIN]);
  t.equal(down.arriving.length, 2);
  relay.turn();
  t.equal(relay.poll.timeouts.at(-1), 0);
  t.equal(down.arriving.length, 0);
  t.equal(up.sentText.length, 6 * chunk.length);
});

t.test('must hold 9: takes no empty read for the end before vsock says so', async (t) => {
  const { relay, down, up } = open(spec({ connect: 'vsock://16:5432' }));
  up.arriving = [Buffer.alloc(0)];
  relay.turn([up, EPOLLIN]);
  t.same(down.ends, []);
  up.arriving = [bytes('S')];
  relay.turn([up, EPOLLIN]);
  t.equal(down.sentText, 'S');
  up.arriving = ['end'];
  relay.turn([up, EPOLLIN | EPOLLRDHUP]);
  t.same(down.ends, ['shut']);
});

t.test('must hold 3: offers vsock 31 KiB at a time, and goes on behind a short write only when told', async (t) => {
  const { relay, down, up } = open(spec({ connect: 'vsock://16:5432' }));
  down.arriving = [Buffer.alloc(100_000, 'x')];
  up.taking = [31 * 1024, 5, 'EIO'];
  relay.turn([down, EPOLLIN]);
  t.same(up.taking, ['EIO'], 'not tried again after a short write');
  up.taking = [];
  relay.turn([up, EPOLLOUT]);
  t.equal(up.sentText.length, 100_000);
  t.ok(up.sent.every(({ length }) => length <= 31 * 1024));
});

t.test('a deadline that falls into the turn in which the upstream comes does not end the connection', async (t) => {
  const { relay, up } = dialling(spec({ limits: { connectTimeoutMs: 50 } }));
  relay.poll.report([...relay.sockets.all].find(([, socket]) => socket === up)?.[0] ?? -1, EPOLLOUT);
  relay.pass(50);
  t.match(relay.counters, { opened: 1, connectFailed: 0, active: 1 });
});

t.test('an answer about a name that comes after the connection has gone does no harm', async (t) => {
  const relay = new ScriptedEngine(spec({ connect: 'tcp://db.test:5432' }));
  const down = relay.connect();
  t.same(relay.asked, ['db.test']);
  relay.turn([down, EPOLLHUP | EPOLLERR]);
  t.equal(relay.counters.active, 0);
  const answer = { addresses: [{ family: 4, address: '192.0.2.1' }], ttlMs: 1000 } as const;
  t.same(relay.engine.addresses.learn('db.test', answer, 0), []);
});

t.test('uses the reserve when the last descriptor went to the downstream, and gives up without', async (t) => {
  for (const [second, counters] of [
    [new ScriptedSocket(), { active: 1, connectFailed: 0 }],
    ['EMFILE', { active: 0, connectFailed: 1 }],
  ] as const) {
    const relay = new ScriptedEngine(spec());
    relay.sockets.upstreams.push('EMFILE', second);
    relay.connect();
    t.match(relay.counters, counters);
    t.ok(relay.engine.gate.isPaused === (second !== 'EMFILE') || relay.counters.active === 0);
  }
});

/** What can happen to one side: bytes come, so many bytes fit, or it is woken up for nothing. */
const happening = fc.record({
  isDown: fc.boolean(),
  what: fc.oneof(
    fc.record({ kind: fc.constant('bytes' as const), length: fc.integer({ min: 1, max: 300_000 }) }),
    fc.record({ kind: fc.constant('room' as const), length: fc.integer({ min: 0, max: 40_000 }) }),
    fc.record({ kind: fc.constant('wake' as const), length: fc.constant(0) }),
  ),
});

t.test(
  'must hold 10: keeps every byte in its place in whatever order sockets fill, drain, wake up and end',
  async (t) => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), fc.boolean(), (happenings, isVsock) => {
        const scene = open(spec(isVsock ? { connect: 'vsock://16:5432' } : {}));
        const { relay, down, up } = scene;
        const said = { down: [] as Buffer[], up: [] as Buffer[] };
        for (const [index, { isDown, what }] of happenings.entries()) {
          const side = isDown ? down : up;
          if (what.kind === 'room') side.taking.push(what.length);
          if (what.kind !== 'bytes') relay.turn([side, EPOLLIN | EPOLLOUT]);
          else {
            const chunk = Buffer.alloc(what.length, String.fromCharCode(97 + (index % 26)));
            said[isDown ? 'down' : 'up'].push(chunk);
            side.arriving.push(chunk);
            relay.turn([side, EPOLLIN]);
          }
        }
        for (const side of [down, up]) {
          side.arriving.push('end');
          relay.turn([side, EPOLLIN | EPOLLRDHUP]);
        }
        for (let round = 0; round < 100 && relay.counters.active > 0; round++)
          relay.turn([down, EPOLLOUT], [up, EPOLLOUT]);
        return (
          isClean(scene) &&
          Buffer.concat(up.sent).equals(Buffer.concat(said.down)) &&
          Buffer.concat(down.sent).equals(Buffer.concat(said.up)) &&
          relay.closeReason === 'finished' &&
          relay.counters.largestPendingBytes <= 256 * 1024
        );
      }),
      { seed: 20261129, numRuns: 300 },
    );
    t.pass('300 orders');
  },
);
