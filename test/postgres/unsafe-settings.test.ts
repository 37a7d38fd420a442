/** What is said about settings that change the reading; which ones do is held against a real PostgreSQL in real-settings.test.ts. */
import fc from 'fast-check';
import t from 'tap';
import { settingsInOptions } from '../../postgres/startup-options.ts';
import { requireSafeSetting, requireSafeStartup } from '../../postgres/unsafe-settings.ts';
import { sqlStateOf } from '../emulator/acra-server/support/sql-state.ts';

t.test('says which setting is refused, what is allowed and what to do', async (t) => {
  t.throws(() => requireSafeSetting('CLIENT_ENCODING', 'shift_jis'), {
    message: /"shiftjis".*UTF8.*set client_encoding to UTF8/,
  });
  t.throws(() => requireSafeSetting('standard_conforming_strings', 'off'), { message: /must be on.*leave it on/ });
  const startup = (name: string, value: string) => ({ minor: 0, parameters: new Map([[name, value]]) });
  t.throws(() => requireSafeStartup(startup('replication', 'true')), { message: /replication is not served/ });
  t.throws(() => requireSafeStartup(startup('options', '--x')), {
    message: /no value; write each setting as -c name=value/,
  });
});

t.test('tells nothing of a value but letters and digits, and not many', async (t) => {
  t.throws(() => requireSafeSetting('client_encoding', 'x\n"; '.repeat(100)), { message: /"x{63}"/ });
  t.throws(() => requireSafeSetting('client_encoding', 'p\xe4ss'), { message: /""/ });
  for (const options of ['-c secret', 'secret', '-zsecret', '-- secret', '-c secret=\xff']) {
    t.throws(() => settingsInOptions(options), { message: /^(?!.*secret)/ }, options);
  }
});

t.test('reads the settings of options in their order', async (t) => {
  t.same(settingsInOptions('-c a-b=1 --c=x=y -efsSx -S -d -c\\ d= -enc e=\\ \\\\'), [
    { name: 'a_b', value: '1' },
    { name: 'c', value: 'x=y' },
    { name: ' d', value: '' },
    { name: 'e', value: ' \\' },
  ]);
});

t.test('reads any options or refuses them (22023)', async () => {
  const pieces = fc.array(fc.constantFrom('-', 'c', ' ', '\\', '=', 'e', 'S', '\xff', '\n', 'x'), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, (parts) => {
      const sqlState = sqlStateOf(() => settingsInOptions(parts.join('')));
      return sqlState === undefined || sqlState === '22023';
    }),
    { seed: 1, numRuns: 2000 },
  );
});

t.test('gives back settings that were written with escapes', async (t) => {
  const ascii = fc.string({ maxLength: 12 });
  const settings = fc.array(fc.record({ name: fc.stringMatching(/^[a-z_.]+$/), value: ascii }), { maxLength: 4 });
  fc.assert(
    fc.property(settings, fc.boolean(), (given, isLong) => {
      const words = given.map(({ name, value }) => `${name}=${value}`.replace(/[\\\s]/g, '\\$&'));
      t.same(settingsInOptions(words.map((word) => `${isLong ? '--' : '-c '}${word}`).join(' ')), given);
    }),
    { seed: 2, numRuns: 300 },
  );
});
