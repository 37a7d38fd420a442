/** A full house at the parent's public port: whoever comes from many addresses takes no place from one that comes from few. */
import t from 'tap';
import { EPOLLIN, EPOLLOUT } from '../../system/libc/socket-constants.ts';
import { SSL_REQUEST } from './support/postgres-packets.ts';
import { route } from './support/relay.ts';
import { ScriptedEngine } from './support/scripted-engine.ts';
import { ScriptedSocket } from './support/scripted-sockets.ts';

/** More than the proof of a session takes, of either side. */
const MUCH = Buffer.alloc(600, 0x16);

interface GoesOn {
  readonly first?: string;
  readonly isAnswered?: boolean;
  readonly behind?: Buffer;
}

/** Places for `maxConnections`; nobody is late. */
function house(maxConnections: number) {
  const preface = { kind: 'postgres-opening' } as const;
  const relay = new ScriptedEngine(
    route({ connect: 'tcp://192.0.2.1:5432', preface, limits: { maxConnections, maxPending: 100 } }),
  );
  /** Comes and asks for TLS; it is being dialled for. */
  const ask = (address: string) => {
    const down = new ScriptedSocket();
    down.arriving = [SSL_REQUEST];
    return relay.connect(down, address);
  };
  /** The same; it is connected, and says so much, is answered, and goes on as a client does up to its session. */
  const goOn = (address: string, { first = '', isAnswered = true, behind = MUCH }: GoesOn = {}) => {
    const up = new ScriptedSocket();
    relay.sockets.upstreams.push(up);
    const down = ask(address);
    relay.turn([up, EPOLLOUT]);
    for (const [socket, bytes] of [
      [down, Buffer.from(first)],
      [up, isAnswered ? MUCH : Buffer.alloc(1)],
      [down, behind],
    ] as const) {
      if (bytes.length > 0) socket.arriving.push(bytes);
      relay.turn([socket, EPOLLIN]);
    }
    return down;
  };
  const session = (address: string) => goOn(address);
  return { relay, ask, goOn, session };
}

t.test('sheds the oldest of the address that has most, not the oldest of all', async (t) => {
  const { relay, ask } = house(4);
  const honest = ask('192.0.2.1');
  const [a, b, c] = [ask('192.0.2.2'), ask('192.0.2.2'), ask('192.0.2.2')];
  const newcomer = ask('192.0.2.3');
  t.same(
    [honest, a, b, c, newcomer].map(({ ends }) => ends.length > 0),
    [false, true, false, false, false],
  );
  t.match(relay.counters, { shed: 0, shedSilent: 1, active: 4 });
});

t.test('sheds nobody for whoever would then have as many as the greediest', async (t) => {
  const { ask } = house(5);
  const places = ['192.0.2.1', '192.0.2.2', '192.0.2.1', '192.0.2.2', '192.0.2.1'].map(ask);
  t.same(ask('192.0.2.2').ends, ['shut', 'closed']);
  t.same(
    places.map(({ ends }) => ends),
    [[], [], [], [], []],
  );
});

t.test('lets a client in whose address is one of more than there are places', async (t) => {
  const { ask } = house(4);
  const flood = [1, 2, 3, 4].map((last) => ask(`198.51.100.${last}`));
  t.same(ask('192.0.2.1').ends, []);
  t.same(
    flood.map(({ ends }) => ends.length > 0),
    [true, false, false, false],
  );
});

t.test('takes no session for one that waits: of an address with sessions those count that are none', async (t) => {
  const { relay, ask, session } = house(4);
  const sessions = [session('192.0.2.1'), session('192.0.2.1'), session('192.0.2.1')];
  const waiting = ask('192.0.2.2');
  const newcomer = ask('192.0.2.3');
  t.same(
    sessions.map(({ ends }) => ends),
    [[], [], []],
  );
  t.same([waiting.ends, newcomer.ends], [['closed'], []]);
  t.match(relay.counters, { active: 4, shedSilent: 1 });
});

t.test('takes nobody for a session who has said much, but nothing behind an answer', async (t) => {
  const { ask, goOn } = house(3);
  const greedy = [
    goOn('192.0.2.2', { first: 'x'.repeat(2_000), behind: Buffer.alloc(500) }),
    goOn('192.0.2.2', { isAnswered: false }),
    goOn('192.0.2.2'),
  ];
  const newcomers = [ask('192.0.2.3'), ask('192.0.2.4'), ask('192.0.2.5')];
  t.same(
    greedy.map(({ ends }) => ends.length > 0),
    [true, true, false],
    'the third is a session',
  );
  t.same(
    newcomers.map(({ ends }) => ends.length > 0),
    [true, false, false],
    'they make room for each other then',
  );
});

/** The same where nobody reads what is said: TLS that ends in the enclave, or any protocol. */
function unreadHouse(maxConnections: number) {
  const preface = { kind: 'tells-source' } as const;
  const connect = 'tcp://192.0.2.1:443';
  const limits = { maxConnections, maxPending: 100, prefaceTimeoutMs: 1 };
  const relay = new ScriptedEngine(route({ connect, preface, limits }));
  const come = (address: string, answer = 0, behind = 0) => {
    const [down, up] = [new ScriptedSocket(), new ScriptedSocket()];
    relay.sockets.upstreams.push(up);
    relay.connect(down, address);
    relay.turn([up, EPOLLOUT]);
    for (const [socket, bytes] of [[down, 200] as const, [up, answer] as const, [down, behind] as const]) {
      if (bytes === 0) continue;
      socket.arriving.push(Buffer.alloc(bytes));
      relay.turn([socket, EPOLLIN]);
    }
    return down;
  };
  return { relay, come };
}

const areThere = (sockets: readonly ScriptedSocket[]) => sockets.map(({ ends }) => ends.length === 0);

t.test('sheds there, too, who has not gone on behind an answer, of the address that has most of these', async (t) => {
  const { come } = unreadHouse(4);
  const client = come('192.0.2.1', 100, 1);
  const flood = [come('192.0.2.2', 3_000), come('192.0.2.2'), come('192.0.2.2', 20, 500)];
  t.same(areThere([come('192.0.2.3'), client, ...flood]), [true, true, false, true, true]);
});

t.test('sheds there nobody for being quiet for long', async (t) => {
  const { relay, come } = unreadHouse(2);
  const quiet = [come('192.0.2.1', 10), come('192.0.2.2', 10)];
  relay.pass(60_000);
  t.same(areThere([come('192.0.2.1'), ...quiet]), [false, true, true]);
});
