import { join } from 'node:path';
import { fromInstanceMetadata } from '@aws-sdk/credential-providers';
import t from 'tap';
import { CredentialStore } from '../../../emulator/credentials.ts';
import { startImds } from '../../../emulator/imds/server.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const ROLE_PATH = '/latest/meta-data/iam/security-credentials/';
const TTL = 'x-aws-ec2-metadata-token-ttl-seconds';
const TOKEN = 'x-aws-ec2-metadata-token';

async function imdsFixture(t: { teardown(fn: () => unknown): void }) {
  const folder = temporaryFolder(t);
  const clock = new FakeClock(Date.now());
  const credentials = new CredentialStore({ folder: join(folder, 'credentials'), clock, random: systemRandom });
  const start = async () => {
    const options = { folder: join(folder, 'imds'), role: 'enclave', credentials, clock, region: 'eu-central-1' };
    const imds = await startImds({ ...options, lifetimeMs: HOUR_MS });
    t.teardown(() => imds.stop());
    return imds;
  };
  const imds = await start();
  const call = (path: string, method = 'GET', headers: Record<string, string> = {}, url = imds.url) =>
    fetch(url + path, { method, headers });
  const token = async (ttl = '60', url = imds.url) =>
    (await call('/latest/api/token', 'PUT', { [TTL]: ttl }, url)).text();
  const get = async (path: string, url = imds.url) => call(path, 'GET', { [TOKEN]: await token('60', url) }, url);
  const roleCredentials = async (url = imds.url) =>
    (await (await get(`${ROLE_PATH}enclave`, url)).json()) as { AccessKeyId: string; Expiration: string };
  return { clock, credentials, imds, start, call, token, get, roleCredentials };
}

t.test('the SDK gets the credentials of the role, by IMDSv2 alone', async (t) => {
  const { imds, credentials } = await imdsFixture(t);
  process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = imds.url;
  t.teardown(() => delete process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT']);
  const provide = fromInstanceMetadata({ ec2MetadataV1Disabled: true, maxRetries: 0, timeout: 5000 });
  const given = await provide();
  const issued = await credentials.find(given.accessKeyId);
  t.match(issued, {
    secretAccessKey: given.secretAccessKey,
    sessionToken: given.sessionToken!,
    principal: { arn: `arn:aws:sts::111122223333:assumed-role/enclave/${imds.instanceId}` },
  });
  t.equal(given.expiration?.getTime(), Math.floor(issued!.expiresAtMs! / 1000) * 1000);
});

t.test('gives tokens for 1 to 21600 seconds, and says for how long', async (t) => {
  const { call } = await imdsFixture(t);
  for (const ttl of ['1', '21600']) {
    const answer = await call('/latest/api/token', 'PUT', { [TTL]: ttl });
    t.equal(answer.status, 200);
    t.equal(answer.headers.get(TTL), ttl);
  }
});

t.test('rejects token requests that are not in order', async (t) => {
  const { call } = await imdsFixture(t);
  const put = async (headers: Record<string, string>) => (await call('/latest/api/token', 'PUT', headers)).status;
  for (const ttl of ['0', '21601', '-1', 'x', '', '1.5', '999999'])
    t.equal(await put({ [TTL]: ttl }), 400, `TTL ${ttl}`);
  t.equal(await put({}), 400, 'no TTL');
  t.equal(await put({ [TTL]: '60', 'X-Forwarded-For': '10.0.0.1' }), 403, 'through a proxy');
  t.equal((await call('/latest/api/token', 'GET', { [TTL]: '60' })).status, 405, 'GET');
});

t.test('rejects requests without a valid token: IMDSv1 is off (401)', async (t) => {
  const { call, token, clock } = await imdsFixture(t);
  const valid = await token('60');
  const status = async (headers: Record<string, string>) => (await call(ROLE_PATH, 'GET', headers)).status;
  t.equal(await status({}), 401, 'no token');
  t.equal(await status({ [TOKEN]: 'x' }), 401, 'another token');
  t.equal(await status({ [TOKEN]: valid }), 200);
  clock.advance(59_999);
  t.equal(await status({ [TOKEN]: valid }), 200);
  clock.stepWall(3600_000);
  t.equal(await status({ [TOKEN]: valid }), 200, 'a step of the wall clock is no time that has passed');
  clock.stepWall(-7200_000);
  clock.advance(1);
  t.equal(await status({ [TOKEN]: valid }), 401, 'an expired token');
});

t.test('tells what the instance is', async (t) => {
  const { get, imds } = await imdsFixture(t);
  t.equal(await (await get(ROLE_PATH)).text(), 'enclave');
  t.equal(await (await get('/latest/meta-data/instance-id')).text(), imds.instanceId);
  t.equal(await (await get('/latest/meta-data/placement/region')).text(), 'eu-central-1');
  const identity = await (await get('/latest/dynamic/instance-identity/document')).json();
  t.match(identity, { instanceId: imds.instanceId, region: 'eu-central-1', accountId: '111122223333' });
});

t.test('knows no other paths (404), nor other methods (405)', async (t) => {
  const { get, call, token } = await imdsFixture(t);
  const paths = [
    '/',
    `${ROLE_PATH}other`,
    '/latest/meta-data/iam/security-credentials-extended/',
    `${ROLE_PATH}enclave/`,
  ];
  for (const path of paths) t.equal((await get(path)).status, 404, path);
  t.equal((await call(ROLE_PATH, 'POST', { [TOKEN]: await token() })).status, 405);
});

t.test('gives the same credentials until a quarter of an hour before their end, then new ones', async (t) => {
  const { roleCredentials, clock, credentials } = await imdsFixture(t);
  const first = await roleCredentials();
  clock.advance(45 * MINUTE_MS);
  t.same(await roleCredentials(), first);
  clock.advance(1);
  const [second, same] = await Promise.all([roleCredentials(), roleCredentials()]);
  t.not(second.AccessKeyId, first.AccessKeyId);
  t.same(same, second, 'two that ask together get the same');
  t.equal(Date.parse(second.Expiration), Math.floor((clock.nowMs() + HOUR_MS) / 1000) * 1000);
  t.not(await credentials.find(first.AccessKeyId), undefined, 'the first ones are still known');
});

t.test('rotates when told', async (t) => {
  const { roleCredentials, imds } = await imdsFixture(t);
  const first = await roleCredentials();
  await imds.rotate();
  t.not((await roleCredentials()).AccessKeyId, first.AccessKeyId);
});

t.test('a restart keeps instance and credentials', async (t) => {
  const { roleCredentials, imds, start } = await imdsFixture(t);
  const first = await roleCredentials();
  await imds.stop();
  const second = await start();
  t.equal(second.instanceId, imds.instanceId);
  t.same(await roleCredentials(second.url), first);
});
