/** What the guard is configured to do, as the enclave's metrics tell it. */
import t from 'tap';
import { guardOf } from '../../../host-proxy/enclave/guard.ts';
import { guardModeSamples } from '../../../supervisor/workloads/sessions/guard-mode.ts';

t.test('reads mode, relations and what is being encrypted from what an enclave tells', async (t) => {
  for (const guard of [
    { mode: 'enforce', relations: 'listed', migrations: [] },
    { mode: 'report', relations: 'any', migrations: [] },
    { mode: 'enforce', relations: 'listed', migrations: [{ table: 'Patients', column: 'e-mail' }] },
  ] as const) {
    t.same(
      guardOf({
        type: 'metrics',
        samples: [
          ...guardModeSamples({
            ...guard,
            migrations: guard.migrations.map((each) => ({ ...each, beside: 'b', old: 'o' })),
          }),
        ],
      }),
      guard,
    );
  }
});

t.test('tells nothing of an enclave that is silent, that has no guard, or that says something else', async (t) => {
  t.equal(guardOf(undefined), null);
  t.equal(guardOf({ type: 'metrics', samples: [] }), null);
  const samples = [
    { name: 'guard_mode', labels: { mode: 'off' }, value: 1 },
    { name: 'guard_relations', labels: { relations: 'any' }, value: 1 },
  ];
  t.equal(guardOf({ type: 'metrics', samples }), null);
});
