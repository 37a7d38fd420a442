/** What the measured configuration lets the guard do less than it could: told by metrics from the beginning, and by the log at boot. */
import type { EnclaveConfig } from '../../../config/enclave.ts';
import { GUARD_MODES, GUARD_RELATIONS, guardWarnings } from '../../../config/guard.ts';
import type { Logger } from '../../../runtime/log.ts';
import { type MetricSample, sample } from '../../../wire/metrics.ts';

type GuardSettings = Pick<EnclaveConfig['guard'], 'mode' | 'relations' | 'migrations'>;

export function guardModeSamples(guard: GuardSettings): readonly MetricSample[] {
  return [
    ...GUARD_MODES.map((mode) => sample('guard_mode', { mode }, +(mode === guard.mode))),
    ...GUARD_RELATIONS.map((relations) => sample('guard_relations', { relations }, +(relations === guard.relations))),
    ...guard.migrations.map(({ table, column }) => sample('guard_migrations', { table, column }, 1)),
  ];
}

export function tellGuardMode(guard: GuardSettings, logger: Logger): void {
  for (const what of guardWarnings(guard)) logger.log('warn', 'guard.weakened', { what });
}
