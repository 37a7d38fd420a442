/** Samples of both daemons, arranged for people. */
import t from 'tap';
import { figures, figuresOf } from '../../../host-proxy/operator/figures.ts';
import { createCounters, readCounters } from '../../../relay/counters.ts';
import { relaySamples } from '../../../relay/samples.ts';
import { sample } from '../../../wire/metrics.ts';

const counters = {
  ...readCounters(createCounters()),
  accepted: 20,
  opened: 9,
  active: 4,
  pending: 1,
  gone: 2,
  connectFailed: 3,
  unopenedShed: 5,
  shed: 6,
  errors: 7,
  resetsOpen: 8,
  bytesUp: 10,
  bytesDown: 11,
};

t.test('counts of each route what went wrong once', async (t) => {
  const { routes } = figuresOf(relaySamples({ database: counters }), []);
  t.match(routes, [
    { side: 'parent', route: 'database', active: 4, pending: 1, accepted: 20, opened: 9, bytesUp: 10, bytesDown: 11 },
  ]);
  const errors = Object.entries(routes[0]?.errors ?? {}).filter(([, value]) => value > 0);
  t.same(Object.fromEntries(errors), { connect_failed: 3, shed_limit: 6, broken_error: 7, resets: 8 });
});

t.test('tells of an enclave that is not heard nothing', async (t) => {
  t.same(figuresOf([], []), { routes: [], sessions: null, guard: null, programs: [], leaseAgeMs: null, enclave: null });
});

t.test('adds up what has several labels, and keeps programs apart', async (t) => {
  const told = figuresOf(
    [],
    [
      sample('supervisor_uptime_seconds', {}, 61.5),
      sample('machine_available_memory_bytes', {}, 1_000),
      sample('lease_age_seconds', {}, 9),
      sample('front_sessions', {}, 3),
      sample('front_refused_total', { reason: 'revoked' }, 2),
      sample('guard_statements_total', { statement: 'select', verdict: 'protected' }, 5),
      sample('guard_statements_total', { statement: 'insert', verdict: 'protected' }, 6),
      sample('guard_refusals_total', { reason: 'literal', outcome: 'reported' }, 1),
      sample('child_healthy', { child: 'acra-1' }, 1),
      sample('child_healthy', { child: 'acra-2' }, 0),
      sample('alarms_total', { child: 'acra-2', concern: 'poison' }, 1),
    ],
  );
  t.doesNotThrow(() => figures.parse(told));
  t.match(told, {
    sessions: { open: 3, refused: { revoked: 2 } },
    guard: { statements: { protected: 11 }, refused: {}, reported: { literal: 1 } },
    programs: [
      { program: 'acra-1', isHealthy: true, alarms: {} },
      { program: 'acra-2', isHealthy: false, alarms: { poison: 1 } },
    ],
    leaseAgeMs: 9_000,
    enclave: { uptimeMs: 61_500, availableBytes: 1_000 },
  });
});
