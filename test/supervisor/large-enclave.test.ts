/** What an enclave with many identities tells is never more than the parent takes: it would refuse the connection. */
import t from 'tap';
import { identitiesMessage, metricsMessage } from '../../supervisor/metrics.ts';
import { encodeFrame, LENGTH_BYTES, MAX_ENCLAVE_FRAME_BYTES } from '../../wire/control/frame.ts';
import { MAX_IDENTITIES, MAX_SAMPLES, parseEnclaveMessage } from '../../wire/control/messages.ts';
import { sample } from '../../wire/metrics.ts';

const IDENTITIES = 3_000;

t.test('tells numbers of as many programs as a message takes, and all others', async (t) => {
  const children = Array.from({ length: IDENTITIES }, (_each, index) => ({
    name: `acra-${index.toString(16).padStart(12, '0')}`,
    pid: undefined,
    restarts: 0,
    alarms: new Map([['poison', 0]]),
    isHealthy: true,
  }));
  const workload = [sample('front_sessions', {}, 7)];
  const reported = { relayCounters: {}, children, workload, certificateEnds: [], suppressedRecords: 0, uptimeMs: 1 };
  const frame = encodeFrame(metricsMessage(reported));
  t.ok(frame.length <= MAX_ENCLAVE_FRAME_BYTES);
  const message = parseEnclaveMessage(frame.subarray(LENGTH_BYTES));
  t.equal(message.type === 'metrics' && message.samples.length, MAX_SAMPLES);
  t.ok(message.type === 'metrics' && message.samples.some(({ name }) => name === 'front_sessions'));
});

t.test(
  'lists as many identities as a message takes, those with most sessions, and tells how many there are',
  async (t) => {
    const running = Array.from({ length: IDENTITIES }, (_each, index) => ({
      clientId: index.toString(16).padStart(128, '0'),
      state: 'starting' as const,
      sessions: index,
      restarts: 1_000_000,
    }));
    const frame = encodeFrame(identitiesMessage({ known: 5_000, running }));
    t.ok(frame.length <= MAX_ENCLAVE_FRAME_BYTES);
    const message = parseEnclaveMessage(frame.subarray(LENGTH_BYTES));
    if (message.type !== 'identities') throw new TypeError('it is another message');
    t.match(message, { known: 5_000, running: IDENTITIES });
    t.equal(message.listed.length, MAX_IDENTITIES);
    t.equal(message.listed[0]?.sessions, IDENTITIES - 1);
  },
);
