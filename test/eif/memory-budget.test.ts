import t from 'tap';
import { memoryBudget } from '../../eif/memory-budget.ts';

const MIB = 1024 * 1024;

t.test('warns above 40 % of the memory and refuses above 50 %, not before', async (t) => {
  const edges = [
    [400 * MIB, 'enough'],
    [400 * MIB + 1, 'tight'],
    [500 * MIB, 'tight'],
    [500 * MIB + 1, 'too-small'],
  ] as const;
  for (const [bytes, outcome] of edges) t.equal(memoryBudget(bytes, 1000).outcome, outcome, `${bytes} of 1000 MiB`);
});

t.test('says how much would be enough, and it is', async (t) => {
  for (const bytes of [123 * MIB, 512 * MIB, 512 * MIB + 1, 3_000_000_001]) {
    const { goodMiB, neededMiB } = memoryBudget(bytes, 64);
    t.equal(memoryBudget(bytes, goodMiB).outcome, 'enough');
    t.equal(memoryBudget(bytes, neededMiB).outcome, 'tight');
    t.equal(memoryBudget(bytes, neededMiB - 1).outcome, 'too-small');
  }
});
