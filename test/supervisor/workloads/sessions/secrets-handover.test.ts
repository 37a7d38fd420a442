/** Whether a guard has taken other secrets, and what is made of one that says nothing. */
import t from 'tap';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { SecretsHandover } from '../../../../supervisor/workloads/sessions/secrets-handover.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const KEYS = { users: [], secrets: [SecretBuffer.take(Buffer.from('mock'))] };
const { signal } = new AbortController();

function rig({ isThere = true } = {}) {
  const clock = new FakeClock();
  const handover = new SecretsHandover(clock);
  const sent: { readonly id: number }[] = [];
  const guard = { isThere, send: (message: object) => void sent.push(message as { readonly id: number }) };
  const hand = (until = signal) => handover.to(guard, KEYS, until);
  return { clock, handover, sent, hand };
}

t.test('waits for the answer to what it has sent last', async (t) => {
  const { handover, sent, hand } = rig();
  const reason = new Error('nobody waits');
  await t.rejects(hand(AbortSignal.abort(reason)), reason);
  let isTaken = false;
  const handing = hand().then(() => (isTaken = true));
  handover.answered({ id: sent[0]?.id ?? 0, areTaken: true });
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(isTaken, 'an answer to what was sent before');
  handover.answered({ id: sent[1]?.id ?? 0, areTaken: true });
  await handing;
  t.ok(isTaken);
});

t.test('rejects secrets that a guard cannot use, and a guard that is silent (CHILD_SECRETS_NOT_TAKEN)', async () => {
  const { clock, handover, sent, hand } = rig();
  const handing = rejectsCode(() => hand(), SupervisorError, 'CHILD_SECRETS_NOT_TAKEN');
  handover.answered({ id: sent[0]?.id ?? 0, areTaken: false });
  await handing;
  const waiting = rejectsCode(() => hand(), SupervisorError, 'CHILD_SECRETS_NOT_TAKEN');
  await clock.untilSleeping();
  clock.advance(20_000);
  await waiting;
});

t.test('waits for no guard that is not there, or ends: the next is served with what is in use', async (t) => {
  const absent = rig({ isThere: false });
  await absent.hand();
  t.same(absent.sent, []);
  const { handover, hand } = rig();
  const handing = hand();
  handover.ended();
  await t.resolves(handing);
});
