/** The quick form, for each merge: a few of each kind in less than three minutes. `make test-abuse` has all, `ABUSE=long` for as long as they are to be borne. */
import t from 'tap';
import { attackedStack, FEW_SESSIONS, liedToStack } from './support/attacked.ts';
import { ATTESTATION_FLOODS, HTTP_LISTENER } from './support/attestation-floods.ts';
import { holdFlood, holdInsult, holdLie, holdLoginLie } from './support/cases.ts';
import { FLOODS, FLOODS_FROM_MANY } from './support/floods.ts';
import { HonestClient, tellHonest } from './support/honest.ts';
import { FALSE_VALUES, INSULTS } from './support/insults.ts';
import { LIES } from './support/lies.ts';
import { LOGIN_LIES } from './support/login-lies.ts';
import { FLOOD_MS, forAWhile, IS_LONG } from './support/pace.ts';

/** Those that last for the whole time of a login. */
const LASTING = /^is silent|^is slow/;

/** Of those that ask for attestation. */
const MANY_A_SECOND = Object.entries(ATTESTATION_FLOODS).filter(([name]) => /^1,000 .*from 200/.test(name));

/** The other files have all of it. */
const skip = IS_LONG && 'floods of a minute are no quick form';

t.test('a client that attacks', { timeout: 200_000, skip }, async (t) => {
  const target = await attackedStack(t, { ...FEW_SESSIONS, ...HTTP_LISTENER });
  const honest = await HonestClient.start(t, target);
  await honest.report();
  await forAWhile(FLOOD_MS);
  tellHonest(t, 'quiet', await honest.report());
  for (const [name, insult] of Object.entries({ ...INSULTS, ...FALSE_VALUES })) {
    await t.test(name, (t) => holdInsult(t, target, honest, name, insult));
  }
  for (const [name, flood] of [...Object.entries({ ...FLOODS, ...FLOODS_FROM_MANY }), ...MANY_A_SECOND]) {
    await t.test(name, (t) => holdFlood(t, target, honest, name, flood));
  }
  await honest.end();
});

t.test('a database that attacks', { timeout: 150_000, skip }, async (t) => {
  const target = await liedToStack(t);
  const honest = await HonestClient.start(t, target);
  for (const [name, lie] of Object.entries(LIES)) await t.test(name, (t) => holdLie(t, target, honest, name, lie));
  for (const [name, lie] of Object.entries(LOGIN_LIES).filter(([name]) => !LASTING.test(name))) {
    await t.test(name, (t) => holdLoginLie(t, target, honest, name, lie));
  }
  await honest.end();
});
