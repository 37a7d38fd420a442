/** What of an enclave's numbers comes through where there are more than the parent publishes. */
import t from 'tap';
import { metricsMessage } from '../../supervisor/metrics.ts';
import { declaredSamples } from '../../wire/metrics.ts';

const CONCERNS = ['plaintext', 'unexamined', 'poison', 'undetected', 'unread'];
const IDENTITIES = 200;

const quiet = (name: string) => ({
  name,
  pid: undefined,
  restarts: 0,
  alarms: new Map(CONCERNS.map((concern) => [concern, 0])),
  isHealthy: true,
});

t.test(
  'tells of the program that read a poison record, and of the one that is ill, however many others there are',
  async (t) => {
    const children = Array.from({ length: IDENTITIES }, (_, index) => quiet(`acra-${index}`));
    const poisoned = { ...quiet('acra-poisoned'), alarms: new Map([...quiet('').alarms, ['poison', 1]]) };
    const message = metricsMessage({
      relayCounters: {},
      children: [...children, poisoned, { ...quiet('acra-ill'), isHealthy: false }],
      workload: [],
      suppressedRecords: 0,
      certificateEnds: [],
      uptimeMs: 0,
    });
    const published = declaredSamples(message.samples);
    const numberOf = (metric: string, child: string, concern?: string) =>
      published.find(
        ({ name, labels }) => name === metric && labels['child'] === child && labels['concern'] === concern,
      )?.value;
    t.equal(numberOf('alarms_total', 'acra-poisoned', 'poison'), 1);
    t.equal(numberOf('child_healthy', 'acra-ill'), 0);
  },
);
