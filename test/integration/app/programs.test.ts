/** Programs of an application in a simulated enclave, as their clients and their parent see them. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t from 'tap';
import { request } from 'undici';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { step } from '../../support/stack.ts';
import { type AppPair, appPair, freePort, script } from './support/app-pair.ts';

/** Says its name when it is told to stop, and takes a while. */
const service = (port: number, answer: string) =>
  script(`
    const server = require('node:http').createServer((_, response) => response.end(${JSON.stringify(answer)}));
    server.listen(${port}, '127.0.0.1', () => console.log('listening'));
    process.on('SIGTERM', () => { console.log('told'); setTimeout(() => { console.log('gone'); process.exit(0); }, 50); });
  `);

const printedBy = (pair: AppPair) =>
  pair.records
    .filter(({ event }) => event === 'program.output')
    .map(({ fields }) => `${fields['program']}: ${fields['text']}`);

t.test('serves by two programs and a task, in their order, and stops them in the other one', async (t) => {
  const [front, back] = [await freePort(), await freePort()];
  const programs = {
    front: { command: service(front, 'front'), after: ['back'], probe: { http: `http://127.0.0.1:${front}/` } },
    back: { command: service(back, 'back'), after: ['prepare'], probe: { tcp: `tcp://127.0.0.1:${back}` } },
    prepare: { kind: 'task', command: script('console.log("prepared")') },
  };
  const ingress = { front: { to: `tcp://127.0.0.1:${front}`, vsockPort: 8080 } };
  const host = { ingress: { front: { listen: 'tcp://127.0.0.1:0', vsockPort: 8080 } } };
  const pair = appPair(t, { enclave: { programs, ingress }, host });
  await pair.serve();
  const { host: name, port } = await pair.untilServing(step());
  const { body } = await request(`http://${name}:${port}/`);
  t.equal(await body.text(), 'front');
  const { code } = (await pair.supervisor?.stop()) ?? {};
  t.equal(code, 0);
  await pair.untilRecord(({ event }) => event === 'control.disconnected');
  t.same(printedBy(pair), [
    'prepare: prepared',
    'back: listening',
    'front: listening',
    'front: told',
    'front: gone',
    'back: told',
    'back: gone',
  ]);
});

t.test('tells a death by signal within a second, by the signal’s name, and starts the program again', async (t) => {
  const programs = { one: { command: script('setInterval(() => {}, 1000)') } };
  const pair = appPair(t, { enclave: { programs } });
  await pair.startHostProxy();
  pair.startSupervisor();
  const launched = await pair.untilRecord(({ event }) => event === 'child.ready');
  const killedMs = Date.now();
  process.kill(Number(launched.fields['pid']), 'SIGSEGV');
  const { fields } = await pair.untilRecord(({ event }) => event === 'child.exited');
  t.ok(Date.now() - killedMs < 1_000);
  t.match(fields, { child: 'one', code: 'PROGRAM_KILLED', signal: 'SIGSEGV', reason: /SIGSEGV .*exit code 139/ });
  const again = await pair.untilRecord(
    ({ event, fields }) => event === 'child.ready' && fields['pid'] !== launched.fields['pid'],
  );
  t.equal(again.fields['child'], 'one');
});

t.test('ends the enclave with a program that is never started again, and tells its exit code', async (t) => {
  const programs = { one: { command: script('setTimeout(() => process.exit(7), 300)'), restart: 'never' } };
  const pair = appPair(t, { enclave: { programs } });
  await pair.startHostProxy();
  const supervisor = pair.startSupervisor();
  const { code } = await supervisor.exited;
  t.equal(code, 1);
  const failed = await pair.untilRecord(({ event }) => event === 'supervisor.failed');
  t.match(failed.fields, { code: 'PROGRAM_ENDED', reason: /program one ended.*exit code 7/ });
});

t.test('ends in order with a program that is never started again and ends with 0', async (t) => {
  const programs = { one: { command: script('setTimeout(() => process.exit(0), 300)'), restart: 'never' } };
  const pair = appPair(t, { enclave: { programs } });
  await pair.startHostProxy();
  const supervisor = pair.startSupervisor();
  const { code } = await supervisor.exited;
  t.equal(code, 0);
  await pair.until(({ enclave }) => enclave?.state === 'stopped', step());
  t.notOk(pair.records.some(({ event }) => event === 'supervisor.failed'));
});

t.test('starts nothing that comes after a task that fails (PROGRAM_TASK_FAILED)', async (t) => {
  const programs = {
    task: { kind: 'task', command: script('console.error("no such table"); process.exit(2)') },
    one: { command: script('console.log("started")'), after: ['task'] },
  };
  const pair = appPair(t, { enclave: { programs } });
  await pair.startHostProxy();
  await pair.startSupervisor().exited;
  const failed = await pair.untilRecord(({ event }) => event === 'supervisor.failed');
  t.match(failed.fields, { code: 'PROGRAM_TASK_FAILED', reason: /task task failed: it ended with exit code 2/ });
  t.same(printedBy(pair), ['task: no such table']);
});

t.test('gives programs the environment that is stated, and nothing of the supervisor’s', async (t) => {
  const command = script('console.log(JSON.stringify([process.env, process.cwd()]))');
  const programs = { one: { kind: 'task', command, environment: { GREETING: 'grüß Gott' }, workingFolder: '/usr' } };
  const pair = appPair(t, { enclave: { programs }, environment: { OWN_SECRET: 'not for programs' } });
  await pair.startHostProxy();
  pair.startSupervisor();
  await pair.untilRecord(({ event }) => event === 'program.task-done');
  const [line = ''] = pair.printed('one');
  const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  t.same(JSON.parse(line), [{ PATH, HOME: '/', GREETING: 'grüß Gott' }, '/usr']);
});

t.test('finds programs in PATH, and says why one cannot be executed (CHILD_LAUNCH_FAILED)', async (t) => {
  const programs = { one: { command: ['no-such-program'] } };
  const pair = appPair(t, { enclave: { programs: { ...programs, two: { command: ['sleep', '60'] } } } });
  await pair.startHostProxy();
  await pair.startSupervisor().exited;
  const failed = await pair.untilRecord(({ event }) => event === 'supervisor.failed');
  t.match(failed.fields, { code: 'CHILD_LAUNCH_FAILED', reason: /execve failed: ENOENT/ });
  t.ok(pair.records.some(({ event, fields }) => event === 'child.launched' && fields['child'] === 'two'));
});

t.test('leads out to a named target alone, and says where a name leads in an enclave', async (t) => {
  const target = createServer((socket: Socket) => socket.end('from outside')).listen(0, '127.0.0.1');
  await once(target, 'listening');
  t.teardown(() => target.close());
  const { port } = target.address() as unknown as TcpEndpoint;
  const inside = await freePort();
  const command = script(`
    require('node:net').connect(${inside}, '127.0.0.1').on('data', (data) => console.log(String(data)));
  `);
  const routes = { away: { to: `db.example.org:${port}`, listen: `tcp://127.0.0.1:${inside}`, vsockPort: 20_001 } };
  const host = { egress: { routes: { away: { connect: `tcp://127.0.0.1:${port}`, vsockPort: 20_001 } } } };
  const pair = appPair(t, { enclave: { programs: { one: { kind: 'task', command } }, egress: { routes } }, host });
  await pair.startHostProxy();
  pair.startSupervisor();
  await pair.untilRecord(({ event }) => event === 'program.task-done');
  t.same(pair.printed('one'), ['from outside']);
  t.match(pair.records.find(({ event }) => event === 'simulation.no-hosts-entry')?.fields, {
    name: 'db.example.org',
    address: '127.0.0.1',
  });
});
