/**
 * Must hold 13: a kernel that counts packets beside bytes (K16) never has many small ones of ours in its queue because somebody does not
 * read: a vsock side is read ahead, and small writes to vsock are held back and joined when the other end does not show that it reads.
 */
import fc from 'fast-check';
import t from 'tap';
import type { RouteSpec } from '../../relay/route.ts';
import { EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../system/libc/socket-constants.ts';
import { route } from './support/relay.ts';
import { ScriptedEngine } from './support/scripted-engine.ts';
import { ScriptedSocket } from './support/scripted-sockets.ts';

type Scene = { readonly relay: ScriptedEngine; readonly down: ScriptedSocket; readonly up: ScriptedSocket };

/** What the kernel of the other end takes unread at its default buffer: 256 KiB / SKB_TRUESIZE(0). */
const DEFAULT_PACKETS = 455;
const BUDGET_BYTES = 256 * 1024;
const TO_ENCLAVE = route({ connect: 'vsock://16:5432' });
const row = (index: number, length = 100) => Buffer.alloc(length, `row ${index};`);

function open(spec: RouteSpec = TO_ENCLAVE): Scene {
  const relay = new ScriptedEngine(spec);
  const up = new ScriptedSocket();
  relay.sockets.upstreams.push(up);
  const down = relay.connect();
  relay.turn([up, EPOLLOUT]);
  return { relay, up, down };
}

/** The kernel of the other end reports room each time that its reader has read: at first only what was so before, then that. */
function showsReading({ relay, up }: Scene): void {
  for (let report = 0; report < 2; report++) relay.turn([up, EPOLLOUT]);
}

function say({ relay, down }: Scene, bytes: Buffer): void {
  down.arriving.push(bytes);
  relay.turn([down, EPOLLIN]);
}

function sayRows(scene: Scene, count: number, length = 100): Buffer {
  const rows = Array.from({ length: count }, (_, index) => row(index, length));
  for (const bytes of rows) say(scene, bytes);
  return Buffer.concat(rows);
}

t.test(
  'reads a vsock side while its peer takes nothing, and passes on in one write what came in small ones',
  async (t) => {
    const { relay, down, up } = open();
    down.taking = [0];
    const rows = Array.from({ length: 1000 }, (_, index) => row(index));
    for (const bytes of rows) {
      up.arriving.push(bytes);
      relay.turn([up, EPOLLIN]);
      t.equal(up.arriving.length, 0, 'nothing waits in the kernel');
    }
    t.same(down.sent, []);
    relay.turn([down, EPOLLOUT]);
    t.same(down.sent, [Buffer.concat(rows)]);
  },
);

t.test(
  'must hold 2: reads no further ahead than a connection may hold, and goes on when some of it is gone',
  async (t) => {
    const { relay, down, up } = open();
    down.taking = [0, 50_000];
    up.arriving = [row(0, 10_000), row(1, 990_000)];
    for (let turn = 0; turn < 3; turn++) relay.turn([up, EPOLLIN]);
    const left = () => up.arriving.reduce((sum, bytes) => sum + bytes.length, 0);
    const before = left();
    t.equal(1_000_000 - before, 224 * 1024, 'and leaves the other direction its share');
    relay.turn([down, EPOLLOUT]);
    t.ok(left() < before, 'read on behind a write that took a part');
    relay.turn([down, EPOLLOUT]);
    for (let turn = 0; turn < 10; turn++) relay.turn();
    t.equal(down.sentText.length, 1_000_000);
    t.ok(relay.counters.largestPendingBytes <= BUDGET_BYTES);
  },
);

t.test(
  'holds small writes back when the other end stops showing that it reads, and joins them until it does',
  async (t) => {
    const scene = open();
    const { relay, up } = scene;
    showsReading(scene);
    const said = sayRows(scene, 500);
    t.ok(up.sent.length < DEFAULT_PACKETS, `${up.sent.length} packets`);
    t.equal(relay.counters.heldBack, 1);
    const before = up.sent.length;
    relay.turn([up, EPOLLOUT]);
    t.equal(up.sent.length, before + 1, 'the rest is one packet');
    t.ok(Buffer.concat(up.sent).equals(said));
    sayRows(scene, 10);
    t.equal(up.sent.length, before + 11, 'and then each goes at once again');
  },
);

t.test('never has more than the other kernel takes unread, however long rows go on, before credit ends', async (t) => {
  for (const length of [1, 100, 129, 300, 575, 1000]) {
    const scene = open();
    showsReading(scene);
    sayRows(scene, 4000, length);
    const bytes = scene.up.sent.reduce((sum, sent) => sum + sent.length, 0);
    const isCreditFirst = bytes >= BUDGET_BYTES;
    t.ok(
      isCreditFirst || scene.up.sent.length < DEFAULT_PACKETS,
      `${length} B: ${scene.up.sent.length} packets, ${bytes} B`,
    );
  }
});

t.test('listens for reports of room again before any has to be waited for', async (t) => {
  const scene = open();
  const { relay, up } = scene;
  for (let report = 0; report < 6; report++) relay.turn([up, EPOLLOUT]);
  t.equal(relay.poll.changes.length, 1, 'they were in vain');
  sayRows(scene, 100);
  t.equal(relay.poll.changes.length, 1);
  sayRows(scene, 100);
  t.equal(relay.poll.changes.length, 2);
  relay.turn([up, EPOLLOUT]);
  sayRows(scene, 300);
  t.equal(relay.counters.heldBack, 1, 'the first report after the change said nothing');
});

t.test('sends what is held back as soon as it makes a large write', async (t) => {
  const scene = open();
  showsReading(scene);
  const said = sayRows(scene, 384 + 200);
  const last = scene.up.sent.at(-1)?.length ?? 0;
  t.ok(last >= 16 * 1024, `${last} bytes`);
  t.ok(said.subarray(0, scene.up.sentText.length).equals(Buffer.concat(scene.up.sent)));
});

t.test('holds nothing back for longer than a quarter of a second', async (t) => {
  const scene = open(route({ connect: 'vsock://16:5432', limits: { idleTimeoutMs: 60_000 } }));
  showsReading(scene);
  const said = sayRows(scene, 400);
  t.ok(scene.up.sentText.length < said.length);
  scene.relay.pass(249);
  t.ok(scene.up.sentText.length < said.length);
  scene.relay.pass(1);
  t.equal(scene.up.sentText.length, said.length);
  scene.relay.pass(60_000);
  t.equal(scene.relay.closeReason, 'idle', 'and the idle time-out is kept');
});

t.test('passes an end on at once, behind what was held back', async (t) => {
  const scene = open();
  showsReading(scene);
  const said = sayRows(scene, 400);
  scene.down.arriving.push('end');
  scene.relay.turn([scene.down, EPOLLIN | EPOLLRDHUP]);
  t.ok(Buffer.concat(scene.up.sent).equals(said));
  t.same(scene.up.ends, ['shut']);
});

t.test('passes on what came before a reset that was read ahead, then resets', async (t) => {
  const { relay, down, up } = open();
  down.taking = [0];
  up.arriving = [Buffer.from('first'), Buffer.from(' second'), 'ENOBUFS'];
  for (let turn = 0; turn < 3; turn++) relay.turn([up, EPOLLIN]);
  t.same(down.ends, []);
  relay.turn([down, EPOLLOUT]);
  t.equal(down.sentText, 'first second');
  t.same(down.ends, ['aborted']);
  t.equal(relay.closeReason, 'ENOBUFS');
});

t.test('holds nothing back where the other end answers, and changes nothing in what is watched for', async (t) => {
  const scene = open();
  const { relay, down, up } = scene;
  for (let trip = 0; trip < 2000; trip++) {
    say(scene, row(trip));
    up.arriving.push(row(trip));
    relay.turn([up, EPOLLIN | EPOLLOUT]);
  }
  t.same([up.sent.length, down.sent.length], [2000, 2000]);
  t.equal(relay.counters.heldBack, 0);
  t.same(relay.poll.changes, []);
});

t.test('holds nothing back where a kernel never tells that its reader has read', async (t) => {
  const scene = open();
  sayRows(scene, 2000);
  t.equal(scene.up.sent.length, 2000);
});

t.test('holds nothing back on TCP and unix sockets', async (t) => {
  for (const connect of ['tcp://192.0.2.1:5432', 'unix:///run/up', 'vsock-uds-guest:///run/vm?port=5']) {
    const scene = open(route({ connect }));
    showsReading(scene);
    sayRows(scene, 2000);
    t.equal(scene.up.sent.length, 2000, connect);
  }
});

/** What can happen to one side: rows come, so much fits, room is reported, or time passes. */
const happening = fc.record({
  isDown: fc.boolean(),
  what: fc.oneof(
    fc.record({
      kind: fc.constant('rows' as const),
      count: fc.integer({ min: 1, max: 500 }),
      length: fc.integer({ min: 1, max: 1200 }),
    }),
    fc.record({
      kind: fc.constant('bytes' as const),
      count: fc.constant(1),
      length: fc.integer({ min: 1, max: 300_000 }),
    }),
    fc.record({
      kind: fc.constant('room' as const),
      count: fc.integer({ min: 0, max: 3 }),
      length: fc.integer({ min: 0, max: 40_000 }),
    }),
    fc.record({ kind: fc.constant('time' as const), count: fc.constant(0), length: fc.integer({ min: 1, max: 300 }) }),
  ),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

function happen({ relay, down, up }: Scene, { isDown, what }: Happening, letter: string): Buffer {
  const side = isDown ? down : up;
  const said: Buffer[] = [];
  if (what.kind === 'time') relay.pass(what.length);
  if (what.kind === 'room') {
    side.taking.push(what.length);
    for (let report = 0; report < what.count; report++) relay.turn([side, EPOLLOUT]);
  }
  for (let index = 0; index < what.count && (what.kind === 'rows' || what.kind === 'bytes'); index++) {
    const bytes = Buffer.alloc(what.length, `${letter}${index};`);
    said.push(bytes);
    side.arriving.push(bytes);
    relay.turn([side, EPOLLIN]);
  }
  return Buffer.concat(said);
}

t.test('must hold 10 and 2: keeps every byte in its place while it reads ahead, holds back and joins', async (t) => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 25 }), fc.boolean(), (happenings, isVsockDown) => {
      const listen = isVsockDown ? { listen: 'vsock://any:5000' } : {};
      const scene = open(route({ connect: 'vsock://16:5432', ...listen }));
      const { relay, down, up } = scene;
      const said = { down: [] as Buffer[], up: [] as Buffer[] };
      for (const [index, each] of happenings.entries()) {
        said[each.isDown ? 'down' : 'up'].push(happen(scene, each, String.fromCharCode(97 + index)));
      }
      for (const side of [down, up]) {
        side.arriving.push('end');
        relay.turn([side, EPOLLIN | EPOLLRDHUP]);
      }
      for (let round = 0; round < 200 && relay.counters.active > 0; round++)
        relay.turn([down, EPOLLOUT], [up, EPOLLOUT]);
      return (
        Buffer.concat(up.sent).equals(Buffer.concat(said.down)) &&
        Buffer.concat(down.sent).equals(Buffer.concat(said.up)) &&
        relay.closeReason === 'finished' &&
        relay.counters.largestPendingBytes <= BUDGET_BYTES
      );
    }),
    { seed: 20261130, numRuns: 150 },
  );
  t.pass('150 orders');
});
