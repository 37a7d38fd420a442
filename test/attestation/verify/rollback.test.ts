/** Whether older keys may be in use: what the statement excludes, what is only told, and what is refused where pinned keys are demanded. */
import t from 'tap';
import type { Demands } from '../../../attestation/verify/demands.ts';
import { verify } from '../../../attestation/verify/verify.ts';
import { pcr } from '../support/payload.ts';
import { demands, evidenceOf, failuresOf, KEY_SET, keptByParent, resultOf } from './support/evidence.ts';

t.test('tells that rollback is not excluded, and refuses it when pinned keys are demanded', (t) => {
  for (const [pin, reason] of [
    ['none', /^rollback not excluded: .*keys\.pin none/],
    ['policy', /^rollback not excluded by anything that is seen here: .*keys\.pin policy/],
  ] as const) {
    const stated = keptByParent(pin);
    const expected: Demands = { ...demands, measurements: { pcrs: new Map([pcr(0)]), statement: stated } };
    const told = verify(evidenceOf({}, stated), { ...expected, pinnedKeys: false });
    t.equal(told.verdict, 'pass');
    t.match(
      told.claims.find(({ claim }) => claim === 'rollback'),
      { result: 'not-run', reason },
    );
    t.same(failuresOf(verify(evidenceOf({}, stated), expected)), ['rollback ATTESTATION_KEYS_UNPINNED'], pin);
  }
  t.end();
});

t.test('takes the word of the operator for the key policy only where it is allowed by name', (t) => {
  const judged = (pin: string, allow: Demands['allow'] = {}) => {
    const stated = keptByParent(pin);
    const measurements = { pcrs: new Map([pcr(0)]), statement: stated };
    return verify(evidenceOf({}, stated), { ...demands, measurements, allow });
  };
  const { claims } = judged('policy', { policyPin: true });
  t.match(
    claims.find(({ claim }) => claim === 'rollback'),
    { result: 'pass', found: 'keys.pin policy, which was allowed' },
  );
  t.same(failuresOf(judged('none', { policyPin: true })), ['rollback ATTESTATION_KEYS_UNPINNED'], 'no pin at all');
  const others = { reportGuard: true, noGuard: true, anyRelation: true, openMigrations: true };
  t.same(failuresOf(judged('policy', others)), ['rollback ATTESTATION_KEYS_UNPINNED'], 'by that name only');
  t.equal(resultOf(judged(KEY_SET), 'rollback'), 'pass', 'a digest needs nobody’s word');
  t.end();
});
