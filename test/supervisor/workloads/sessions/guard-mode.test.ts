/** A configuration that gives something up is told by metrics and by the log at boot. */
import t from 'tap';
import { guardModeSamples, tellGuardMode } from '../../../../supervisor/workloads/sessions/guard-mode.ts';
import { declaredSamples } from '../../../../wire/metrics.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';

const MIGRATION = { table: 'patients', column: 'name', beside: 'name_protected', old: 'name_plain' };

t.test('has one series for each mode, as the parent publishes them', async (t) => {
  const samples = guardModeSamples({ mode: 'report', relations: 'listed', migrations: [MIGRATION] });
  t.same(declaredSamples(samples), samples);
  t.same(
    samples.filter(({ value }) => value === 1).map(({ labels }) => labels),
    [{ mode: 'report' }, { relations: 'listed' }, { table: 'patients', column: 'name' }],
  );
  t.equal(samples.length, 5);
});

t.test('warns of each thing that is given up, and of nothing else', async (t) => {
  const whatOf = (mode: 'enforce' | 'report', relations: 'listed' | 'any', migrations = [MIGRATION].slice(1)) => {
    const logger = new MemoryLogger();
    tellGuardMode({ mode, relations, migrations }, logger);
    return logger.records.map(({ level, event, fields }) => `${level} ${event} ${fields?.['what']}`);
  };
  t.same(whatOf('enforce', 'listed'), []);
  t.match(whatOf('enforce', 'listed', [MIGRATION]), [/^warn guard\.weakened guard\.migrations names patients\.name/]);
  t.match(whatOf('report', 'any'), [/^warn guard\.weakened guard\.mode is report/, /guard\.relations is any/]);
});
