/** Which of two secrets is tried first. */
import t from 'tap';
import { SecretChoice } from '../../../sessions/guard/secret-choice.ts';

t.test('tries them in the order of enclave.yaml, and first what worked last', async (t) => {
  const changes: string[] = [];
  const choice = new SecretChoice(['now', 'next'], (setting) => changes.push(setting));
  t.same(choice.inOrder, ['now', 'next']);
  choice.worked('now');
  t.same(changes, [], 'nothing has changed');
  choice.worked('next');
  choice.worked('next');
  t.same(choice.inOrder, ['next', 'now']);
  choice.worked('now');
  t.same(choice.inOrder, ['now', 'next']);
  t.same(changes, ['nextSecret', 'secret']);
});

t.test('keeps one that is alone', async (t) => {
  const choice = new SecretChoice(['now'], () => t.fail('nothing can change'));
  choice.worked('now');
  t.same(choice.inOrder, ['now']);
});
