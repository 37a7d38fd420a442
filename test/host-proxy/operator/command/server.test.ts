import { once } from 'node:events';
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { HostProxyError } from '../../../../host-proxy/errors.ts';
import { askDaemon } from '../../../../host-proxy/operator/command/client.ts';
import { commandSocketPath, prepareRuntimeFolder } from '../../../../host-proxy/operator/command/runtime-folder.ts';
import type { CommandHandler } from '../../../../host-proxy/operator/command/server.ts';
import { CommandServer } from '../../../../host-proxy/operator/command/server.ts';
import { CodedError } from '../../../../runtime/errors.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const refuse = () => Promise.reject(new Error('must not be asked'));
const never = () => new AbortController().signal;

async function served(t: TapTest, handle: CommandHandler) {
  const folder = temporaryFolder(t);
  const path = join(folder, 'command.sock');
  const server = new CommandServer(path, handle);
  await server.start(never());
  t.teardown(() => server.stop());
  return { folder, path, server };
}

const ask = (folder: string, signal = never()) =>
  askDaemon(commandSocketPath(folder), { command: 'stop' }, () => undefined, signal);

t.test('opens a socket for its user alone, whatever the umask', async (t) => {
  const before = process.umask(0);
  t.teardown(() => void process.umask(before));
  const { path } = await served(t, async () => '');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(process.umask(), 0, 'and leaves the umask as it was');
});

t.test('answers with replies, then its last words', async (t) => {
  const { folder } = await served(t, async (request, reply) => {
    reply({ type: 'progress', text: request.command });
    return 'done';
  });
  const replies: unknown[] = [];
  t.equal(
    await askDaemon(commandSocketPath(folder), { command: 'stop' }, (reply) => replies.push(reply), never()),
    'done',
  );
  t.same(replies, [
    { type: 'progress', text: 'stop' },
    { type: 'done', text: 'done' },
  ]);
});

t.test('keeps a line whole that holds another line end of Unicode', async (t) => {
  const text = 'one\u2028two\u2029three\u0085four\u000bfive\r\nsix';
  const { folder } = await served(t, async (_, reply) => {
    reply({ type: 'line', text });
    return text;
  });
  const replies: unknown[] = [];
  t.equal(
    await askDaemon(commandSocketPath(folder), { command: 'stop' }, (reply) => replies.push(reply), never()),
    text,
  );
  t.same(replies[0], { type: 'line', text });
});

t.test('hands an error of the daemon on with its code (ENCLAVE_NO_CONSOLE)', async (t) => {
  const { folder } = await served(t, async () => {
    throw new CodedError('ENCLAVE_NO_CONSOLE', 'none');
  });
  await t.rejects(ask(folder), { code: 'ENCLAVE_NO_CONSOLE', message: 'none' });
});

for (const [what, line] of [
  ['what is no JSON', 'stop'],
  ['an unknown command', '{"command":"exec"}'],
  ['unknown keys', '{"command":"stop","force":true}'],
  ['too many lines', '{"command":"logs","lines":100000,"follow":false}'],
] as const) {
  t.test(`rejects ${what} (HOST_COMMAND_BROKEN)`, async (t) => {
    const { path } = await served(t, refuse);
    const socket = createConnection({ path });
    socket.write(`${line}\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    t.match(JSON.parse(answer.toString()), { type: 'error', code: 'HOST_COMMAND_BROKEN' });
    await once(socket, 'close');
  });
}

t.test('cuts off who says too much', async (t) => {
  const { path } = await served(t, refuse);
  const socket = createConnection({ path });
  socket.on('error', () => undefined).resume();
  socket.write('x'.repeat(5_000));
  await once(socket, 'close');
});

t.test('tells the handler when the asker goes away', async (t) => {
  const gone = Promise.withResolvers<void>();
  const { folder } = await served(t, async (_, reply, signal) => {
    reply({ type: 'line', text: 'first' });
    await once(signal, 'abort');
    gone.resolve();
    return '';
  });
  const stop = new AbortController();
  const asking = askDaemon(
    commandSocketPath(folder),
    { command: 'logs', lines: 0, follow: true },
    () => stop.abort(new Error('enough')),
    stop.signal,
  );
  await t.rejects(asking);
  await gone.promise;
});

t.test('lets an answer that is under way come to its end when it stops', async (t) => {
  const last = Promise.withResolvers<string>();
  const asked = Promise.withResolvers<void>();
  const { folder, path, server } = await served(t, async () => {
    asked.resolve();
    return last.promise;
  });
  const idle = createConnection({ path });
  idle.on('error', () => undefined);
  await once(idle, 'connect');
  const answer = ask(folder);
  await asked.promise;
  const stopped = server.stop();
  last.resolve('stopped in order');
  t.equal(await answer, 'stopped in order');
  await stopped;
  t.notOk(existsSync(path));
});

t.test('rejects a second server on a socket that is answered, but takes over one that is not', async (t) => {
  const { path, server, folder } = await served(t, async () => 'first');
  const second = new CommandServer(path, async () => 'second');
  await rejectsCode(() => second.start(never()), HostProxyError, 'HOST_ALREADY_RUNNING');
  t.equal(await ask(folder), 'first');
  await server.stop();
  writeFileSync(path, '');
  await second.start(never());
  t.equal(await ask(folder), 'second');
  await second.stop();
});

t.test('rejects a socket that cannot be made (HOST_COMMAND_BIND)', async () => {
  const server = new CommandServer('/none/command.sock', async () => '');
  await rejectsCode(() => server.start(never()), HostProxyError, 'HOST_COMMAND_BIND');
});

t.test('rejects a command to nobody (HOST_NOT_RUNNING)', async (t) => {
  const folder = temporaryFolder(t);
  await rejectsCode(() => ask(folder), HostProxyError, 'HOST_NOT_RUNNING');
});

t.test('rejects an answer that breaks off, or is of another form (HOST_COMMAND_BROKEN)', async (t) => {
  const { folder } = await served(t, async (_, reply) => {
    reply({ type: 'unheard-of' } as never);
    return '';
  });
  await rejectsCode(() => ask(folder), HostProxyError, 'HOST_COMMAND_BROKEN');
});

t.test('makes a folder that only its user may enter, and rejects any other (HOST_RUNTIME_FOLDER)', async (t) => {
  const folder = join(temporaryFolder(t), 'a/b');
  prepareRuntimeFolder(folder);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  prepareRuntimeFolder(folder);
  for (const mode of [0o710, 0o701, 0o770]) {
    chmodSync(folder, mode);
    await rejectsCode(async () => prepareRuntimeFolder(folder), HostProxyError, 'HOST_RUNTIME_FOLDER');
  }
  await rejectsCode(async () => prepareRuntimeFolder('/dev/null/none'), HostProxyError, 'HOST_RUNTIME_FOLDER');
});
