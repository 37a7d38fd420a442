/** Tokens for RDS, judged as the emulated RDS judges them: by a signature that other code computes again. */
import t, { type Test } from 'tap';
import { CredentialStore } from '../../../emulator/credentials.ts';
import { rolePrincipal } from '../../../emulator/principal.ts';
import { type TokenRules, tokenFault } from '../../../emulator/rds/token.ts';
import type { AwsCredentials } from '../../../kms/connection.ts';
import { DatabaseTokens } from '../../../supervisor/credentials/database-tokens.ts';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const MINUTE_MS = 60_000;
const PLACE = { host: 'records.abc123.eu-central-1.rds.amazonaws.com', port: 5432, region: 'eu-central-1' };
const PRINCIPAL = rolePrincipal('parent', 'i-0');
const USER = 'Ärzte & Co=(1)';

/** A role with credentials for an hour, and an RDS that lets it be USER. */
async function rig(t: Test) {
  const clock = new FakeClock(Date.parse('2026-11-30T12:00:00Z'));
  const store = new CredentialStore({ folder: temporaryFolder(t), clock, random: seededRandom('account') });
  const fetched: AwsCredentials[] = [];
  const fetch = async () => {
    const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = await store.issueTemporary(
      PRINCIPAL,
      60 * MINUTE_MS,
    );
    fetched.push({ accessKeyId, secretAccessKey, sessionToken, expiration: new Date(expiresAtMs) });
  };
  await fetch();
  const keeper = {
    credentials: async () => {
      const newest = fetched.at(-1);
      if (newest) return newest;
      throw new Error('there are none');
    },
    discard: () => void fetched.pop(),
    renew: () => Promise.reject(new Error('not asked')),
  };
  const rules: TokenRules = {
    endpoint: `${PLACE.host}:5432`,
    region: PLACE.region,
    credentials: store,
    clock,
    mayConnect: (arn, user) => arn === PRINCIPAL.policyArn && user === USER,
  };
  const textOf = async (place = PLACE, user = USER) => {
    using token = await new DatabaseTokens(place, keeper, clock).tokenFor(user);
    return token.use((bytes) => bytes.toString('utf8'));
  };
  return { clock, store, fetched, fetch, keeper, rules, textOf };
}

t.test('makes what RDS takes, whatever letters the user has, for fifteen minutes', async (t) => {
  const { clock, rules, textOf } = await rig(t);
  const token = await textOf();
  t.equal(await tokenFault(token, USER, rules), undefined);
  t.match(token, /^records\.abc123\.eu-central-1\.rds\.amazonaws\.com:5432\/\?/);
  clock.advance(15 * MINUTE_MS);
  t.equal(await tokenFault(token, USER, rules), undefined);
  clock.advance(1_000);
  t.equal(await tokenFault(token, USER, rules), 'it has expired', 'a token that is replayed later');
});

t.test('makes what RDS refuses for anything but what is measured', async (t) => {
  const { rules, textOf } = await rig(t);
  const faultOf = async (...made: Parameters<typeof textOf>) => tokenFault(await textOf(...made), USER, rules);
  t.equal(await faultOf({ ...PLACE, region: 'us-east-1' }), 'it is for rds-db in us-east-1');
  t.match(await faultOf({ ...PLACE, host: 'other' }), 'it is for other:5432');
  t.match(await faultOf({ ...PLACE, port: 6432 }), 'it is for records');
  t.equal(await faultOf(PLACE, 'other'), 'it is for user other');
  t.match(await tokenFault(await textOf(PLACE, 'other'), 'other', rules), 'has no rds-db:connect for other');
});

t.test('makes what nobody can change: user, host and time are signed', async (t) => {
  const { rules, textOf } = await rig(t);
  const token = await textOf(PLACE, 'other');
  const wrong = 'its signature is wrong';
  t.equal(await tokenFault(token.replace('DBUser=other', `DBUser=${encodeURIComponent(USER)}`), USER, rules), wrong);
  t.equal(await tokenFault((await textOf()).replace('X-Amz-Expires=900', 'X-Amz-Expires=899'), USER, rules), wrong);
});

t.test('rejects credentials that have expired, after it has asked for others (CREDENTIALS_UNAVAILABLE)', async (t) => {
  const { clock, fetched, fetch, keeper, rules } = await rig(t);
  const tokens = new DatabaseTokens(PLACE, keeper, clock);
  const [old] = fetched;
  clock.advance(61 * MINUTE_MS);
  await fetch();
  fetched.push(...(old ? [old] : []));
  using token = await tokens.tokenFor(USER);
  t.equal(
    await tokenFault(
      token.use((bytes) => bytes.toString()),
      USER,
      rules,
    ),
    undefined,
    'the others',
  );
  fetched.push(...(old ? [old, old] : []));
  await rejectsCode(() => tokens.tokenFor(USER), SupervisorError, 'CREDENTIALS_UNAVAILABLE');
});

t.test(
  'asks for other credentials where a token is refused, once a minute at most, and uses these meanwhile',
  async (t) => {
    const { clock, keeper } = await rig(t);
    let renewed = 0;
    const renew = async () => void renewed++;
    const tokens = new DatabaseTokens(PLACE, { ...keeper, renew, discard: () => t.fail('dropped') }, clock);
    tokens.refused();
    tokens.refused();
    t.equal(renewed, 1);
    clock.advance(MINUTE_MS);
    tokens.refused();
    t.equal(renewed, 2);
  },
);
