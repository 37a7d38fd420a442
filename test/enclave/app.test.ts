/** Programs of an application on an enclave machine: what they see of it, what they may do, and what is told of their ends. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t from 'tap';
import { request } from 'undici';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { AppMachine } from './support/app-machine.ts';

const EAFNOSUPPORT = 97;
const EPERM = 1;
const NO_CAPABILITIES = '0000000000000000';

const outside = createServer((socket: Socket) => socket.end('from outside')).listen(0, '127.0.0.1');
await once(outside, 'listening');
t.teardown(() => outside.close());
const { port } = outside.address() as unknown as TcpEndpoint;

const node = ['node', '/probe/probe.ts'];
const machine = await AppMachine.serve(t, {
  enclave: {
    programs: {
      rooted: { kind: 'task', command: [...node, 'look'], user: 0 },
      web: {
        command: node,
        after: ['rooted'],
        user: '1234:2345',
        workingFolder: '/probe',
        environment: { GREETING: 'hello' },
        probe: { http: 'http://127.0.0.1/' },
        maxMemoryMiB: 300,
      },
    },
    ingress: { web: { to: 'tcp://127.0.0.1:80', vsockPort: 8080 } },
    egress: { routes: { db: { to: 'db.example.org:5432', listen: 'tcp://127.0.0.1:5432' } } },
    health: { maxClockJumpMs: 3_600_000, probeTimeoutMs: 30_000 },
  },
  host: {
    ingress: { web: { listen: 'tcp://127.0.0.1:0', vsockPort: 8080 } },
    egress: { routes: { db: { connect: `tcp://127.0.0.1:${port}`, vsockPort: 25_432 } } },
  },
});

async function ask(path: string): Promise<string> {
  const { host, port: open } = machine.address;
  const { body } = await request(`http://${host}:${open}${path}`);
  return body.text();
}

const SEEN = {
  root: ['dev', 'etc', 'lib', 'lib64', 'probe', 'proc', 'run', 'sys', 'tmp', 'usr'],
  devices: ['fd', 'full', 'null', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'tty', 'urandom', 'zero'],
  ours: [],
  processes: 0,
  capabilities: [NO_CAPABILITIES, NO_CAPABILITIES, NO_CAPABILITIES],
  restrictions: ['1', '2'],
  vsock: EAFNOSUPPORT,
  chroot: EPERM,
  mknod: EPERM,
  mount: EPERM,
  named: '127.0.0.1',
};
/** Of its own file system a program may write what its modes let it, in memory. */
const writesOf = (user: number) => [
  ['/probe/file', user === 0 ? 'none' : 'EACCES'],
  ['/etc/hosts', 'EROFS'],
  ['/proc/sys/vm/overcommit_memory', 'EROFS'],
  ['/dev/null', 'none'],
  ['/dev/stderr', 'none'],
  [`/tmp/${user}`, 'none'],
  [`/run/${user}`, 'none'],
  [`/dev/shm/${user}`, 'none'],
];

t.test('shows a program its own root alone: nothing of ours, no security module, no vsock', async (t) => {
  const seen = JSON.parse(await ask('/')) as Record<string, unknown>;
  const { writes, environment, ...others } = seen;
  t.match(others, { ...SEEN, user: [1234, 2345, ''], folder: '/probe', temporary: true });
  t.same(Object.keys(environment as object).toSorted(), ['GREETING', 'HOME', 'PATH']);
  t.same(writes, writesOf(1234));
});

t.test('leaves a program of user 0 no capability, and no way out of its root', async (t) => {
  const [line = '{}'] = machine.printed('rooted');
  const { writes, ...others } = JSON.parse(line) as Record<string, unknown>;
  t.match(others, { ...SEEN, user: [0, 0, ''], folder: '/' });
  t.same(writes, writesOf(0));
});

t.test('leads out by the name of the target, to what the parent connects it to', async (t) => {
  t.equal(await ask('/outside'), 'from outside');
});

t.test('tells that memory ran out, and starts the program again', async (t) => {
  await ask('/grow').catch(() => undefined);
  const { fields } = await machine.untilRecord(({ event }) => event === 'child.exited');
  t.match(fields, { child: 'web', code: 'PROGRAM_OUT_OF_MEMORY' });
  const isReadyAgain = () => machine.records.filter(({ event }) => event === 'child.ready').length > 1;
  await machine.untilRecord(isReadyAgain);
});

t.test('tells a death by signal, by its name', async (t) => {
  await ask('/abort').catch(() => undefined);
  const { fields } = await machine.untilRecord(
    ({ event, fields: told }) => event === 'child.exited' && told?.['signal'] === 'SIGABRT',
  );
  t.match(fields, { child: 'web', code: 'PROGRAM_KILLED', reason: /SIGABRT .*exit code 134/ });
  await machine.untilRecord(() => machine.records.filter(({ event }) => event === 'child.ready').length > 2);
});

t.test('brings a stop of the host to the program', async (t) => {
  await machine.daemon.stop();
  t.ok(machine.printed('web').includes('told to stop'));
});
