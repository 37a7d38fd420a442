/** A configuration that gives something up is told by metrics and by the log at boot. */
import t from 'tap';
import { guardModeSamples, tellGuardMode } from '../../../../supervisor/workloads/sessions/guard-mode.ts';
import { declaredSamples } from '../../../../wire/metrics.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';

t.test('has one series for each mode, as the parent publishes them', async (t) => {
  const samples = guardModeSamples({ mode: 'report', relations: 'listed' });
  t.same(declaredSamples(samples), samples);
  t.same(
    samples.filter(({ value }) => value === 1).map(({ labels }) => labels),
    [{ mode: 'report' }, { relations: 'listed' }],
  );
  t.equal(samples.length, 4);
});

t.test('warns of each thing that is given up, and of nothing else', async (t) => {
  const whatOf = (mode: 'enforce' | 'report', relations: 'listed' | 'any') => {
    const logger = new MemoryLogger();
    tellGuardMode({ mode, relations }, logger);
    return logger.records.map(({ level, event, fields }) => `${level} ${event} ${fields?.['what']}`);
  };
  t.same(whatOf('enforce', 'listed'), []);
  t.match(whatOf('report', 'any'), [/^warn guard\.weakened guard\.mode is report/, /guard\.relations is any/]);
});
