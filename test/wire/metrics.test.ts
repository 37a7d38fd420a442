/** Which numbers of an enclave are published. */
import t from 'tap';
import { declaredSamples, sample } from '../../wire/metrics.ts';

t.test('leaves out numbers that add up to infinity, which a status document cannot have', async (t) => {
  const alarms = (child: string, value: number) => sample('alarms_total', { child, concern: 'poison' }, value);
  const sound = alarms('acra-1', Number.MAX_SAFE_INTEGER);
  t.same(declaredSamples([alarms('acra-2', 1e308), alarms('acra-3', Number.NaN), sound]), [sound]);
});
