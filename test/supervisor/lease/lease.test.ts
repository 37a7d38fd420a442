import t, { type Test as TapTest } from 'tap';
import { KeeperError } from '../../../keys/keepers/errors.ts';
import { KmsError } from '../../../kms/errors.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { LeaseError } from '../../../supervisor/lease/errors.ts';
import { KeyLease } from '../../../supervisor/lease/lease.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const MINUTE_MS = 60_000;
const KEY = Buffer.alloc(32, 7);

type Answer = 'same' | 'held back' | 'other' | 'never' | KmsError['code'] | Error;

/** A lease whose questions get these answers, the last one again and again. @param agoMs when it was granted */
async function rig(t: TapTest, answers: readonly Answer[], agoMs = 0) {
  const clock = new FakeClock();
  const grantedMs = clock.monotonicMs() - agoMs;
  const logger = new MemoryLogger();
  const handed: SecretBuffer[] = [];
  const ends: unknown[] = [];
  const askedAtMs: number[] = [];
  const startedMs = clock.monotonicMs();
  const answer = (what: Answer): Promise<SecretBuffer> => {
    if (what === 'never') return new Promise(() => undefined);
    if (what instanceof Error) return Promise.reject(what);
    if (what === 'held back')
      return clock.sleep(60 * MINUTE_MS, new AbortController().signal).then(() => answer('same'));
    if (what !== 'same' && what !== 'other') return Promise.reject(new KmsError(what, 'KMS said so'));
    const key = SecretBuffer.take(what === 'same' ? Buffer.from(KEY) : Buffer.alloc(32, 8));
    handed.push(key);
    return Promise.resolve(key);
  };
  const lease = new KeyLease({
    renewEveryMs: 15 * MINUTE_MS,
    maxAgeMs: 240 * MINUTE_MS,
    leased: {
      grantedMs,
      masterKey: SecretBuffer.take(Buffer.from(KEY)),
      ask: () => {
        askedAtMs.push(clock.monotonicMs() - startedMs);
        return answer(answers[Math.min(askedAtMs.length, answers.length) - 1] ?? 'same');
      },
    },
    clock,
    random: seededRandom('lease'),
    logger,
    onEnd: (error) => ends.push(error),
  });
  await lease.start(new AbortController().signal);
  t.teardown(() => lease.stop());
  const pass = async (durationMs: number) => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += MINUTE_MS) {
      clock.advance(MINUTE_MS);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  };
  return { lease, clock, logger, handed, ends, askedAtMs, pass };
}

const wiped = (secret: SecretBuffer) => {
  try {
    secret.use(() => undefined);
    return false;
  } catch {
    return true;
  }
};
const value = (lease: KeyLease, name: string, outcome?: string) =>
  lease.samples.find((each) => each.name === name && each.labels['outcome'] === outcome)?.value;

t.test('asks KMS every renewEveryMs, and keeps nothing of what it gets', async (t) => {
  const { lease, ends, askedAtMs, handed, pass } = await rig(t, ['same']);
  await pass(24 * 60 * MINUTE_MS);
  t.same(ends, []);
  t.equal(askedAtMs.length, 96);
  t.same(
    askedAtMs.slice(0, 3),
    [15, 30, 45].map((minutes) => minutes * MINUTE_MS),
  );
  t.ok(handed.every(wiped));
  t.equal(value(lease, 'lease_questions_total', 'renewed'), 96);
});

for (const code of ['KMS_ACCESS_DENIED', 'KMS_KEY_UNUSABLE', 'KMS_NOT_FOUND'] as const) {
  t.test(`ends at the first refusal (${code})`, async (t) => {
    const { ends, askedAtMs, pass } = await rig(t, ['same', code, 'same']);
    await pass(60 * MINUTE_MS);
    t.equal(askedAtMs.length, 2);
    t.match(ends, [{ code: 'LEASE_REFUSED', found: code, cause: { code } }]);
    t.ok(ends[0] instanceof LeaseError);
  });
}

t.test('ends when so many of several keys refuse that too few are left (KEY_SHARES_REFUSED)', async (t) => {
  const { ends, pass } = await rig(t, ['same', new KeeperError('KEY_SHARES_REFUSED', 'two of three')]);
  await pass(60 * MINUTE_MS);
  t.match(ends, [{ code: 'LEASE_REFUSED', found: 'KEY_SHARES_REFUSED' }]);
});

t.test('ends when KMS answers with another key (LEASE_KEY_DIFFERS), and zeroes that one', async (t) => {
  const { ends, handed, pass } = await rig(t, ['other']);
  await pass(15 * MINUTE_MS);
  t.match(ends, [{ code: 'LEASE_KEY_DIFFERS' }]);
  t.ok(handed.every(wiped));
});

const OUTAGES: readonly Answer[] = [
  'KMS_THROTTLED',
  new KeeperError('KEY_SHARES_UNAVAILABLE', 'one refuses, one is down'),
  'KMS_UNAVAILABLE',
  'KMS_CREDENTIALS_EXPIRED',
  'KMS_TLS_UNTRUSTED',
  'KMS_SERVICE_ERROR',
  'KMS_RESPONSE_INVALID',
  new Error('something of Node'),
];
for (const outage of OUTAGES) {
  t.test(`serves on through an outage, and asks sooner (${outage})`, async (t) => {
    const { lease, ends, askedAtMs, logger, pass } = await rig(t, ['same', outage, outage, outage, 'same']);
    await pass(60 * MINUTE_MS);
    t.same(ends, []);
    const told = logger.records.filter(({ event }) => event === 'lease.outage');
    t.equal(told.length, 3);
    t.ok(told.every(({ level, fields }) => level === 'warn' && Number(fields['endsInMs']) > 200 * MINUTE_MS));
    t.ok((askedAtMs[4] ?? Number.POSITIVE_INFINITY) < 40 * MINUTE_MS, 'the fourth question did not wait its turn');
    t.equal(value(lease, 'lease_questions_total', 'outage'), 3);
    t.ok(Number(value(lease, 'lease_age_seconds')) <= 15 * 60);
  });
}

t.test('counts from the question, so that an answer that is held back makes no lease longer', async (t) => {
  const { lease, pass } = await rig(t, ['held back']);
  await pass(15 * MINUTE_MS + 60 * MINUTE_MS);
  t.equal(value(lease, 'lease_questions_total', 'renewed'), 1);
  t.equal(value(lease, 'lease_age_seconds'), 60 * 60);
});

t.test('ends maxAgeMs after KMS granted it last, not sooner and not later (LEASE_EXPIRED)', async (t) => {
  const { ends, pass } = await rig(t, ['same', 'KMS_UNAVAILABLE']);
  await pass((15 + 239) * MINUTE_MS);
  t.same(ends, []);
  await pass(MINUTE_MS);
  t.match(ends, [{ code: 'LEASE_EXPIRED' }]);
});

t.test('ends in time when a question is never answered (LEASE_EXPIRED)', async (t) => {
  const { ends, pass } = await rig(t, ['never']);
  await pass(239 * MINUTE_MS);
  t.same(ends, []);
  await pass(MINUTE_MS);
  t.match(ends, [{ code: 'LEASE_EXPIRED' }]);
});

t.test('counts by a clock that nobody sets', async (t) => {
  const { clock, ends, askedAtMs, pass } = await rig(t, ['same', 'KMS_UNAVAILABLE']);
  for (const stepMs of [-365 * 24 * 60 * MINUTE_MS, 365 * 24 * 60 * MINUTE_MS]) clock.stepWall(stepMs);
  await pass(100 * MINUTE_MS);
  t.same(ends, []);
  t.equal(askedAtMs[0], 15 * MINUTE_MS);
});

t.test('asks no more, and ends nothing, once it is stopped', async (t) => {
  const { lease, ends, askedAtMs, pass } = await rig(t, ['KMS_ACCESS_DENIED']);
  await lease.stop();
  await pass(60 * MINUTE_MS);
  t.same(askedAtMs, []);
  t.same(ends, []);
});

t.test('asks for the key that is in use now, and holds no answer for the one before against it', async (t) => {
  const { lease, clock, ends, pass, logger } = await rig(t, ['never']);
  await pass(16 * MINUTE_MS);
  const asked: string[] = [];
  const other = Buffer.alloc(32, 9);
  const ask = async () => {
    asked.push('other');
    return SecretBuffer.take(Buffer.from(other));
  };
  lease.follow({ masterKey: SecretBuffer.take(Buffer.from(other)), ask, grantedMs: clock.monotonicMs() });
  await pass(65 * MINUTE_MS);
  t.equal(asked.length, 4, 'the question under way was given up at once');
  t.same(ends, []);
  t.notOk(logger.records.some(({ event }) => event === 'lease.outage'));
});

t.test('ends for a refusal of the key that is in use now (LEASE_REFUSED)', async (t) => {
  const { lease, clock, ends, pass } = await rig(t, ['same']);
  const ask = () => Promise.reject(new KmsError('KMS_ACCESS_DENIED', 'KMS said so'));
  lease.follow({ masterKey: SecretBuffer.take(Buffer.alloc(32, 9)), ask, grantedMs: clock.monotonicMs() });
  await pass(16 * MINUTE_MS);
  t.match(ends, [{ code: 'LEASE_REFUSED' }]);
});

t.test('begins when KMS was asked, however late its answer came (LEASE_EXPIRED)', async (t) => {
  const first = await rig(t, ['never'], 200 * MINUTE_MS);
  await first.pass(41 * MINUTE_MS);
  t.match(first.ends, [{ code: 'LEASE_EXPIRED' }]);
  const { lease, clock, ends, pass } = await rig(t, ['never']);
  const masterKey = SecretBuffer.take(Buffer.alloc(32, 9));
  lease.follow({
    masterKey,
    ask: () => new Promise(() => undefined),
    grantedMs: clock.monotonicMs() - 200 * MINUTE_MS,
  });
  await pass(41 * MINUTE_MS);
  t.match(ends, [{ code: 'LEASE_EXPIRED' }]);
});
