import t from 'tap';
import { COUNTER_NAMES } from '../../relay/counters.ts';
import { relaySamples } from '../../relay/samples.ts';
import { declaredSamples } from '../../wire/metrics.ts';
import { RELAY_METRICS } from '../../wire/relay-metrics.ts';

const counters = Object.fromEntries(COUNTER_NAMES.map((name, index) => [name, index + 1])) as never;

t.test('tells every counter of every route, each as a series of its own that is declared', async (t) => {
  const samples = relaySamples({ ingress: counters, kms: counters });
  t.equal(declaredSamples(samples).length, 2 * COUNTER_NAMES.length);
  t.same(
    samples.filter(({ labels }) => labels['route'] === 'kms').map(({ value }) => value),
    COUNTER_NAMES.map((_, index) => index + 1),
  );
});

t.test('tells every metric that is declared for a relay', async (t) => {
  const names = new Set(relaySamples({ kms: counters }).map(({ name }) => name));
  t.same([...names].sort(), Object.keys(RELAY_METRICS).sort());
});
