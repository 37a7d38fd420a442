/** What is kept of counters whose labels an enclave chooses. */
import t from 'tap';
import { Growth } from '../../../../host-proxy/operator/alarms/growth.ts';

const HOUR_MS = 3_600_000;
const counted = (child: string, value: number) => ({ labels: { child }, value });

t.test('keeps a bounded number of counters, whatever others are told each second', async (t) => {
  const growth = new Growth(HOUR_MS);
  growth.by(['child'], [counted('stays', 0), counted('left', 0)], 0);
  growth.by(['child'], [counted('stays', 0), counted('left', 5)], 0);
  let told: ReturnType<Growth['by']> = [];
  for (let second = 1; second <= 30; second += 1) {
    const others = Array.from({ length: 100 }, (_, index) => counted(`child-${second}-${index}`, 1));
    told = growth.by(['child'], [counted('stays', second), ...others], second * 1_000);
  }
  t.equal(told.length, 1_000);
  t.match(
    told.find(({ labels }) => labels['child'] === 'stays'),
    { value: 30 },
    'what is told all the time stays',
  );
  t.notOk(
    told.some(({ labels }) => labels['child'] === 'left'),
    'what was not told for longest is forgotten',
  );
});
