/** The front's counters as metrics: they only grow, whatever becomes of a front. */
import t from 'tap';
import { ATTESTATION_OUTCOMES, byOutcome } from '../../../../sessions/front/attestation/outcomes.ts';
import { REFUSAL_REASONS } from '../../../../sessions/front/refused.ts';
import { type FrontCounts, fromFrontSchema } from '../../../../sessions/messages.ts';
import { FrontTally } from '../../../../supervisor/workloads/sessions/front-tally.ts';
import { declaredSamples, MAX_SERIES } from '../../../../wire/metrics.ts';

const NONE = Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, 0])) as FrontCounts['refused'];

const ATTESTATIONS = byOutcome(() => 0);

function counts(open: number, evicted: number, refused: Partial<FrontCounts['refused']>): FrontCounts {
  return {
    type: 'counts',
    open,
    pending: 2,
    evicted,
    refused: { ...NONE, ...refused },
    attesting: 3,
    attestations: { ...ATTESTATIONS, answered: 7 },
  };
}

function valuesOf({ samples }: FrontTally): Record<string, number> {
  return Object.fromEntries(
    samples
      .filter(({ labels }) => labels['outcome'] === undefined)
      .map(({ name, labels, value }) => [labels['reason'] ?? name, value]),
  );
}

t.test('has every counter from the beginning, as the parent publishes them', async (t) => {
  const { samples } = new FrontTally();
  t.equal(samples.length, 3 + REFUSAL_REASONS.length + 1 + ATTESTATION_OUTCOMES.length);
  t.same(declaredSamples(samples), samples);
  t.ok(samples.length <= MAX_SERIES && samples.every(({ value }) => value === 0));
});

t.test('counts on when another front is launched, whose sessions are its own', async (t) => {
  const tally = new FrontTally();
  tally.launched();
  tally.take(counts(5, 1, { late: 3 }));
  tally.take(counts(4, 2, { late: 4, address: 1 }));
  t.match(valuesOf(tally), {
    front_sessions: 4,
    front_pending_connections: 2,
    front_evicted_total: 2,
    late: 4,
    address: 1,
  });
  tally.launched();
  t.match(valuesOf(tally), { front_sessions: 0, front_pending_connections: 0, front_evicted_total: 2, late: 4 });
  tally.take(counts(1, 1, { late: 1 }));
  t.match(valuesOf(tally), { front_sessions: 1, front_evicted_total: 3, late: 5, address: 1 });
});

t.test('does the same of attestations, whose outcomes have names that reasons have too', async (t) => {
  const tally = new FrontTally();
  const answered = () => tally.samples.find(({ labels }) => labels['outcome'] === 'answered')?.value;
  tally.take(counts(0, 0, { late: 4 }));
  t.equal(answered(), 7);
  tally.launched();
  t.equal(answered(), 7);
  tally.take(counts(0, 0, {}));
  t.equal(answered(), 14);
  t.equal(tally.samples.find(({ name }) => name === 'front_attestation_connections')?.value, 3);
});

t.test('takes no counts that are none', async (t) => {
  t.ok(fromFrontSchema.safeParse(counts(1, 1, {})).success);
  for (const broken of [
    { ...counts(1, 1, {}), open: -1 },
    { ...counts(1, 1, {}), refused: { late: 1 } },
    { ...counts(1, 1, {}), attestations: { answered: 1 } },
  ])
    t.notOk(fromFrontSchema.safeParse(broken).success);
});
