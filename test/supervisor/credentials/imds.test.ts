import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { CredentialStore } from '../../../emulator/credentials.ts';
import { startImds } from '../../../emulator/imds/server.ts';
import type { AwsCredentials } from '../../../kms/connection.ts';
import { Relay } from '../../../relay/relay.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { silentLogger } from '../../../runtime/log.ts';
import { fetchRoleCredentials } from '../../../supervisor/credentials/imds.ts';
import { CredentialKeeper } from '../../../supervisor/credentials/keeper.ts';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const LIMITS = {
  maxConnections: 10,
  maxPending: 10,
  connectTimeoutMs: 5000,
  prefaceTimeoutMs: 5000,
  idleTimeoutMs: 60_000,
};
const signal = () => new AbortController().signal;

/** The emulated metadata service behind a relay route, as in the enclave. */
async function imdsOnSocket(t: TapTest): Promise<string> {
  const folder = temporaryFolder(t);
  const credentials = new CredentialStore({
    folder: join(folder, 'c'),
    clock: systemClock,
    random: seededRandom('imds'),
  });
  const imds = await startImds({ folder, role: 'a-role', credentials, clock: systemClock, lifetimeMs: 3600_000 });
  const relay = new Relay({ logger: silentLogger });
  await relay.start(signal());
  t.teardown(async () => {
    await relay.stop();
    await imds.stop();
  });
  const path = join(folder, 'imds.sock');
  const connect = { kind: 'tcp', host: imds.host, port: imds.port } as const;
  await relay.addRoute({
    label: 'imds',
    listen: { kind: 'unix', path },
    connect,
    preface: { kind: 'none' },
    limits: LIMITS,
  });
  return path;
}

/** A parent that answers as it likes. */
async function parentOnSocket(t: TapTest, answer: RequestListener): Promise<string> {
  const path = join(temporaryFolder(t), 'imds.sock');
  const server = createServer(answer).listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return path;
}

const fetchFrom = (socketPath: string, timeoutMs = 2000, until = signal()) =>
  fetchRoleCredentials({ socketPath, timeoutMs, nowMs: () => systemClock.nowMs() }, until);

t.test('fetches the role’s credentials with an IMDSv2 token', async (t) => {
  const credentials = await fetchFrom(await imdsOnSocket(t));
  t.match(credentials, { accessKeyId: /^ASIA/, secretAccessKey: /.{40}/, sessionToken: /.+/ });
  t.ok((credentials.expiration?.getTime() ?? 0) > Date.now());
});

const GOOD = {
  Code: 'Success',
  AccessKeyId: 'ASIAAAAAAAAAAAAAAAAA',
  SecretAccessKey: 's',
  Token: 't',
  Expiration: '2030-01-01T00:00:00Z',
};

function answering(role: string, credentials: string): RequestListener {
  return ({ url = '' }, response) => {
    if (url === '/latest/api/token') response.end('token');
    else response.end(url.endsWith('/security-credentials/') ? role : credentials);
  };
}

const REFUSED: readonly (readonly [string, RequestListener])[] = [
  ['an instance without a role', answering('', '{}')],
  ['a role name that is no name', answering('../../token', JSON.stringify(GOOD))],
  ['an answer that is no JSON', answering('role', '<html>')],
  ['credentials without a token', answering('role', JSON.stringify({ ...GOOD, Token: undefined }))],
  ['a failure code', answering('role', JSON.stringify({ ...GOOD, Code: 'Failed' }))],
  ['an expiry that is no time', answering('role', JSON.stringify({ ...GOOD, Expiration: 'never' }))],
  ['an answer without end', (_request, response) => response.end(Buffer.alloc(1024 * 1024, 'a'))],
  ['a refusal of the token', (_request, response) => response.writeHead(403).end()],
  ['a connection that is closed', (request) => request.socket.destroy()],
];

for (const [what, answer] of REFUSED) {
  t.test(`rejects ${what} (CREDENTIALS_UNAVAILABLE)`, async (t) => {
    const socketPath = await parentOnSocket(t, answer);
    await rejectsCode(() => fetchFrom(socketPath), SupervisorError, 'CREDENTIALS_UNAVAILABLE');
    t.pass();
  });
}

const STOPPING: readonly (readonly [string, RequestListener])[] = [
  ['no answer at all', () => undefined],
  ['an answer that stops in its head', (request) => request.socket.write('HTTP/1.1 200 OK\r\ncontent-le')],
  [
    'an answer that stops in its body',
    (_request, response) => response.writeHead(200, { 'content-length': 9 }).write('t'),
  ],
];

for (const [what, answer] of STOPPING) {
  t.test(`rejects ${what}, after its time (CREDENTIALS_UNAVAILABLE)`, async (t) => {
    const socketPath = await parentOnSocket(t, answer);
    await rejectsCode(() => fetchFrom(socketPath, 100), SupervisorError, 'CREDENTIALS_UNAVAILABLE');
  });

  t.test(`ends at ${what} with the signal’s reason`, async (t) => {
    const stop = new AbortController();
    const reason = new Error('stop');
    const socketPath = await parentOnSocket(t, (request, response) => {
      answer(request, response);
      setImmediate(() => stop.abort(reason));
    });
    await t.rejects(fetchFrom(socketPath, 60_000, stop.signal), reason);
  });
}

t.test('rejects a connection that breaks in the body (CREDENTIALS_UNAVAILABLE)', async (t) => {
  const socketPath = await parentOnSocket(t, ({ socket }) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nt'),
  );
  await rejectsCode(() => fetchFrom(socketPath), SupervisorError, 'CREDENTIALS_UNAVAILABLE');
});

t.test('rejects a service that nobody serves (CREDENTIALS_UNAVAILABLE)', async (t) => {
  const none = join(temporaryFolder(t), 'none');
  const error = await rejectsCode(() => fetchFrom(none), SupervisorError, 'CREDENTIALS_UNAVAILABLE');
  t.match(error.action, /hop-limit 2/);
});

t.test("tells AWS's own words, with advice for the case (CREDENTIALS_UNAVAILABLE)", async (t) => {
  const document = JSON.stringify({
    Code: 'AssumeRoleUnauthorizedAccess',
    Message: 'EC2 cannot assume the role acra-role.  Please see documentation at https://docs.aws.amazon.com/IAM/…',
    LastUpdated: '2026-11-29T00:00:00Z',
  });
  const socketPath = await parentOnSocket(t, answering('acra-role', document));
  const error = await rejectsCode(() => fetchFrom(socketPath), SupervisorError, 'CREDENTIALS_UNAVAILABLE');
  t.match(error.found, /^AssumeRoleUnauthorizedAccess: EC2 cannot assume the role acra-role\. Please see/);
  t.match(error.action, /trust policy/);
});

function keeperWith(t: TapTest, lifetimeMs: number, failures: readonly number[] = []) {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  let calls = 0;
  const waiting: (() => void)[] = [];
  const fetch = async (): Promise<AwsCredentials> => {
    calls += 1;
    for (const wake of waiting.splice(0)) queueMicrotask(wake);
    if (failures.includes(calls)) throw new Error('down');
    return { accessKeyId: `key-${calls}`, secretAccessKey: 's', expiration: new Date(clock.nowMs() + lifetimeMs) };
  };
  const keeper = new CredentialKeeper({
    fetch,
    clock,
    random: seededRandom('keeper'),
    logger,
    onFailure: (error) => t.fail(String(error)),
  });
  t.teardown(() => keeper.stop());
  const nextCall = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { clock, keeper, logger, nextCall, calls: () => calls };
}

t.test('refreshes five minutes ahead of the expiry', async (t) => {
  const { clock, keeper, nextCall } = keeperWith(t, 3600_000);
  await keeper.start(signal());
  await clock.untilSleeping();
  t.equal(clock.sleptMs[0], 3600_000 - 5 * 60_000);
  const refreshed = nextCall();
  clock.advance(3600_000 - 5 * 60_000);
  await refreshed;
  await clock.untilSleeping();
  t.equal((await keeper.credentials()).accessKeyId, 'key-2');
});

t.test('keeps the old credentials while a refresh fails, and tries again', async (t) => {
  const { clock, keeper, nextCall, logger } = keeperWith(t, 600_000, [2]);
  await keeper.start(signal());
  await clock.untilSleeping();
  let called = nextCall();
  clock.advance(300_000);
  await called;
  await clock.untilSleeping();
  t.equal((await keeper.credentials()).accessKeyId, 'key-1');
  t.ok(logger.events().includes('credentials.refresh-failed'));
  called = nextCall();
  clock.advance(1000);
  await called;
  await clock.untilSleeping();
  t.equal((await keeper.credentials()).accessKeyId, 'key-3');
});

t.test('asks again within the hour, whatever expiry the parent claims', async (t) => {
  const lifetimeMs = Date.UTC(9999, 11, 31) - Date.UTC(2026, 0, 1);
  const { clock, keeper, nextCall } = keeperWith(t, lifetimeMs);
  await keeper.start(signal());
  await clock.untilSleeping();
  t.same(clock.sleptMs, [3600_000]);
  const refreshed = nextCall();
  clock.advance(3600_000);
  await refreshed;
  t.equal((await keeper.credentials()).accessKeyId, 'key-2');
});

t.test('fetches new ones after they were discarded', async (t) => {
  const { keeper } = keeperWith(t, 3600_000);
  await keeper.start(signal());
  keeper.discard();
  t.equal((await keeper.credentials()).accessKeyId, 'key-2');
});

t.test('asks the metadata service once for all who come while there are none', async (t) => {
  const { keeper, calls } = keeperWith(t, 3600_000, [2]);
  await keeper.start(signal());
  keeper.discard();
  const failed = await Promise.allSettled(Array.from({ length: 100 }, () => keeper.credentials()));
  t.same(new Set(failed.map(({ status }) => status)), new Set(['rejected']));
  t.equal(calls(), 2);
  const come = await Promise.all(Array.from({ length: 100 }, () => keeper.credentials()));
  t.same(new Set(come.map(({ accessKeyId }) => accessKeyId)), new Set(['key-3']));
});

t.test('keeps those that somebody doubts until there are others', async (t) => {
  const { keeper, logger } = keeperWith(t, 3600_000, [2]);
  await keeper.start(signal());
  await keeper.renew();
  t.equal((await keeper.credentials()).accessKeyId, 'key-1', 'the metadata service is away');
  t.ok(logger.events().includes('credentials.refresh-failed'));
  await keeper.renew();
  t.equal((await keeper.credentials()).accessKeyId, 'key-3');
});

t.test('leaves no timer behind when it stops', async (t) => {
  const { keeper, clock } = keeperWith(t, 3600_000);
  await keeper.start(signal());
  await clock.untilSleeping();
  await keeper.stop();
  t.equal(clock.sleeping, 0);
});
