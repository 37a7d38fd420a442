/** What a benchmark is asked for is refused before anything starts, with what there is. */
import t from 'tap';
import { UsageError } from '../../bench/flags.ts';
import { readGrowthOptions } from '../../bench/growth/options.ts';
import { readOptions } from '../../bench/options.ts';

t.test('measures everything in five rounds where nothing else is asked for', async (t) => {
  const options = readOptions([]);
  t.match(options, { parts: ['relay', 'chain', 'engine'], rounds: 5, clients: [1, 8, 64], isWritten: false });
  t.match(options, {
    protocols: ['simple', 'prepared'],
    workloads: ['protected', 'untouched', 'rows', 'tpc-b', 'journal'],
  });
});

t.test('takes parts of it', async (t) => {
  const args = ['chain', '--rounds', '1', '--seconds', '0.2', '--workloads', 'rows,tpc-b', '--clients', '8', '--write'];
  t.match(readOptions(args), {
    ...{ parts: ['chain'], rounds: 1, seconds: 0.2, workloads: ['rows', 'tpc-b'], clients: [8], isWritten: true },
  });
});

const REFUSED: readonly (readonly [args: readonly string[], RegExp])[] = [
  [['--rounds', '0'], /--rounds 0: allowed is a whole number from 1/],
  [['--rounds', 'x'], /--rounds x: allowed/],
  [['--rounds', '1.5'], /--rounds 1.5: allowed/],
  [['--rounds', ''], /--rounds : allowed/],
  [['--seconds', '0'], /--seconds 0: allowed is a number above 0/],
  [['--seconds', 'NaN'], /--seconds NaN/],
  [['--clients', '1,65'], /--clients 65: allowed is a whole number from 1 to 64/],
  [['--workloads', 'nothing'], /--workloads nothing: there are protected, untouched, rows, tpc-b, journal/],
  [['--workloads', 'rows,'], /--workloads : there are/],
  [['--transports', 'vsock'], /--transports vsock: there are tcp, unix, in, out/],
  [['--protocols', 'extended'], /--protocols extended: there are simple, prepared/],
  [['--relays', 'stunnel'], /--relays stunnel: there are none, acra-enclave relay/],
  [['--loads', 'pong'], /--loads pong: there are one-way/],
  [['--fast'], /'--fast': there are --rounds, --seconds/],
  [['--rounds'], /--rounds.*: there are --rounds/],
  [['relays'], /relays: there are relay, chain, engine/],
];

t.test('refuses what there is not, and says what there is', async (t) => {
  for (const [args, message] of REFUSED) {
    t.throws(() => readOptions(args), { constructor: UsageError, message }, args.join(' '));
  }
});

const GROWTH_REFUSED: readonly (readonly [args: readonly string[], RegExp])[] = [
  [['--statements', 'x'], /--statements x: allowed is a whole number from 0/],
  [['--sessions', '-1'], /--sessions/],
  [['--sessions=-1'], /--sessions -1: allowed/],
  [['--connections', '1e99'], /--connections 1e99: allowed/],
  [['--minutes', '0'], /--minutes 0: allowed is a number above 0/],
  [['--minutes', ''], /--minutes : allowed/],
  [['--from', ''], /--from needs FILE/],
  [['--statements', '0', '--sessions', '0', '--connections', '0'], /nothing would run/],
  [['soak'], /soak: there are only flags/],
  [['--hours', '2'], /'--hours': there are --statements/],
];

t.test('refuses it of a run for growth too', async (t) => {
  for (const [args, message] of GROWTH_REFUSED)
    t.throws(() => readGrowthOptions(args), { constructor: UsageError, message }, args.join(' '));
});

t.test('takes a soak, and one of the three runs for growth', async (t) => {
  t.match(readGrowthOptions(['--minutes', '1.5', '--write']), { minutes: 1.5, isWritten: true });
  t.match(readGrowthOptions(['--sessions', '0', '--connections', '0']), { statements: 1_000_000, sessions: 0 });
});
