/**
 * Floods of one attacker while an honest client works: all that the honest one asks succeeds, memory and logs stay bounded. How long it
 * takes is told, and stands in docs/abuse.md.
 */
import t from 'tap';
import { attackedStack, FEW_SESSIONS } from './support/attacked.ts';
import { holdFloods } from './support/cases.ts';
import { FLOODS } from './support/floods.ts';
import { FLOOD_MS } from './support/pace.ts';

t.test('floods from one address', { timeout: 60_000 + 16 * (FLOOD_MS + 30_000) }, async (t) => {
  await holdFloods(t, await attackedStack(t, FEW_SESSIONS), FLOODS);
});
