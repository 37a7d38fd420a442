/** Floods of an attacker that has as many addresses as the front lets connections wait: no limit by address holds any of them. */
import t from 'tap';
import { attackedStack, FEW_SESSIONS } from './support/attacked.ts';
import { holdFloods } from './support/cases.ts';
import { FLOODS_FROM_MANY } from './support/floods.ts';
import { FLOOD_MS } from './support/pace.ts';

t.test('floods from many addresses', { timeout: 60_000 + 10 * (FLOOD_MS + 30_000) }, async (t) => {
  await holdFloods(t, await attackedStack(t, FEW_SESSIONS), FLOODS_FROM_MANY);
});
