/** Whom the front asks where a session goes, how often, and what it makes of the answers. */
import t from 'tap';
import { GuardDirectory } from '../../../sessions/front/guards.ts';
import { outcomeOf } from '../support/outcome.ts';

const patient = new AbortController().signal;
const guard = (clientId: string, path: string) => ({ type: 'guard', clientId, path }) as const;

function directory() {
  const asked: string[] = [];
  return { asked, guards: new GuardDirectory((clientId) => asked.push(clientId)) };
}

t.test('asks once for all sessions of an identity, and for each identity', async (t) => {
  const { asked, guards } = directory();
  const waiting = [guards.pathOf('a', patient), guards.pathOf('a', patient), guards.pathOf('b', patient)];
  guards.answered(guard('a', '/a'));
  guards.answered(guard('b', '/b'));
  t.same(await Promise.all(waiting), ['/a', '/a', '/b']);
  t.equal(await guards.pathOf('a', patient), '/a');
  t.same(asked, ['a', 'b']);
});

t.test('tells all who wait of a refusal, and asks again for the next one', async (t) => {
  const { asked, guards } = directory();
  const waiting = [outcomeOf(guards.pathOf('a', patient)), outcomeOf(guards.pathOf('a', patient))];
  guards.answered({ type: 'no-guard', clientId: 'a', sqlState: '53300', message: 'too many identities' });
  t.same(await Promise.all(waiting), ['53300', '53300']);
  const next = guards.pathOf('a', patient);
  guards.answered(guard('a', '/a'));
  t.equal(await next, '/a');
  t.same(asked, ['a', 'a']);
});

t.test('gives a session up with its signal, and the others of its identity go on waiting', async (t) => {
  const { guards } = directory();
  const late = new AbortController();
  const [given, kept] = [guards.pathOf('a', late.signal), guards.pathOf('a', patient)];
  late.abort(new RangeError('late'));
  await t.rejects(given, { message: 'late' });
  guards.answered(guard('a', '/a'));
  t.equal(await kept, '/a');
});

t.test('answers everybody who found a guard gone, though one forgets it while another asks again', async (t) => {
  const { asked, guards } = directory();
  const first = guards.pathOf('a', patient);
  guards.answered(guard('a', '/old'));
  await first;
  guards.forget('a');
  const one = guards.pathOf('a', patient);
  guards.forget('a');
  const two = guards.pathOf('a', patient);
  guards.answered(guard('a', '/new'));
  t.same(await Promise.all([one, two]), ['/new', '/new']);
  t.same(asked, ['a', 'a']);
});

t.test('keeps an answer that nobody asked for from doing anything', async (t) => {
  const { asked, guards } = directory();
  guards.answered(guard('a', '/a'));
  guards.answered({ type: 'no-guard', clientId: 'a', sqlState: '53300', message: 'x' });
  guards.forget('a');
  const path = guards.pathOf('a', patient);
  guards.answered(guard('a', '/b'));
  t.equal(await path, '/b');
  t.same(asked, ['a']);
});
