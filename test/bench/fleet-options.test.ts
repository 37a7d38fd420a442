/** What a fleet is asked for is refused before anything starts, with what there is. */
import t from 'tap';
import { UsageError } from '../../bench/flags.ts';
import { readFleetOptions } from '../../bench/fleet/options.ts';

t.test('has three hosts and the checks of deploy/cdk where nothing else is asked for', async (t) => {
  const options = readFleetOptions([]);
  t.match(options, { hosts: 3, clients: 12, checkSeconds: 10, checks: 2, isWritten: false });
  t.ok(options.events.includes('host-killed'));
});

t.test('takes some of the events', async (t) => {
  t.same(readFleetOptions(['--events', 'drain,upgrade']).events, ['drain', 'upgrade']);
});

for (const [args, message] of [
  [['--hosts', '1'], /--hosts 1: allowed is a whole number from 2 to 16/],
  [['--clients', 'many'], /--clients many/],
  [['--check-seconds', '1'], /from 5 to 300/],
  [['--events', 'flood'], /--events flood: there are nothing, /],
  [['--write', '--events', 'drain'], /leave out --events/],
  [['--seconds', '1'], /there are --hosts, /],
] as const)
  t.test(`refuses ${args.join(' ')}`, async (t) => {
    t.throws(() => readFleetOptions(args), { constructor: UsageError, message });
  });
