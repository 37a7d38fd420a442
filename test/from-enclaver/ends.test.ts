/** How programs end: where Enclaver never notices a signal, sends none, and waits for open connections before it tells of an end. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { freePort } from '../../emulator/free-port.ts';
import { step } from '../support/stack.ts';
import { AppPair, textOf } from './support/serving-app.ts';

const alone = (command: readonly string[]) => ({ programs: { one: { command, restart: 'never' } } });
/** A shell that waits, and does something when it is told to end. */
const waiting = (atEnd: string, first: string) => `trap '${atEnd}; kill $!; exit 0' TERM; sleep 3600 & ${first}; wait`;

for (const [what, script, told] of [
  ['a signal', 'kill -KILL $$', /SIGKILL/],
  ['a segmentation fault', 'kill -SEGV $$', /SIGSEGV/],
  ['an exit code', 'exit 7', /exit code 7/],
] as const) {
  t.test(`tells the parent that ${what} ended a program, and which`, async (t) => {
    const app = await AppPair.start(t, { enclave: alone(['/bin/sh', '-c', script]) });
    const { enclave } = await app.pair.until((status) => status.enclave?.state === 'failed', step());
    t.match(enclave?.detail, told);
    const { code } = (await app.pair.supervisor?.exited) ?? {};
    t.not(code, 0, 'and the enclave ends with it');
  });
}

t.test('gives a program SIGTERM, and the time to finish', async (t) => {
  const work = 'head -c 50000000 /dev/zero | sha256sum >/dev/null';
  const script = waiting(`echo finishing; ${work}; echo finished`, 'echo running');
  const app = await AppPair.start(t, { enclave: { programs: { one: { command: ['/bin/sh', '-c', script] } } } });
  await app.untilRecord('program.output', (line) => textOf(line) === 'running');
  await app.ready();
  await app.pair.supervisor?.stop();
  t.same(app.records('program.output').map(textOf), ['running', 'finishing', 'finished']);
});

t.test('stops programs in the order in which they need each other', async (t) => {
  const program = (name: string, after: readonly string[]) => ({
    command: ['/bin/sh', '-c', waiting(`echo ${name} ends`, `echo ${name} runs`)],
    after,
  });
  const programs = { store: program('store', []), web: program('web', ['store']) };
  const app = await AppPair.start(t, { enclave: { programs } });
  await app.ready();
  await app.untilRecord('program.output', (line) => textOf(line) === 'web runs');
  await app.pair.supervisor?.stop();
  const ends = app
    .records('program.output')
    .map(textOf)
    .filter((text) => text.endsWith('ends'));
  t.same(ends, ['web ends', 'store ends']);
});

t.test('tells of an end though a client holds its connection open', async (t) => {
  const [inside, outside] = [await freePort(), await freePort()];
  const script = `require('net').createServer((socket) => socket.on('data', () => process.kill(process.pid, 'SIGKILL'))).listen(${inside}, '127.0.0.1')`;
  const app = await AppPair.start(t, {
    enclave: {
      programs: {
        one: {
          command: [process.execPath, '-e', script],
          restart: 'never',
          probe: { tcp: `tcp://127.0.0.1:${inside}` },
        },
      },
      ingress: { web: { to: `tcp://127.0.0.1:${inside}`, vsockPort: 18_500 } },
    },
    host: { ingress: { web: { listen: `tcp://127.0.0.1:${outside}`, vsockPort: 18_500 } } },
  });
  await app.ready();
  const held = connect(outside, '127.0.0.1');
  const last = connect(outside, '127.0.0.1');
  t.teardown(() => {
    for (const socket of [held, last]) socket.destroy();
  });
  for (const socket of [held, last]) socket.on('error', () => undefined);
  await Promise.all([once(held, 'connect'), once(last, 'connect')]);
  last.write('end');
  const { enclave } = await app.pair.until((status) => status.enclave?.state === 'failed', step());
  t.match(enclave?.detail, /SIGKILL/);
});
