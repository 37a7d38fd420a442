/** The log of slow statements and of those that would be refused: what stands in it, what never does, and how much of it there is. */
import t from 'tap';
import type { Work } from '../../../acra/conversation/statement-watch.ts';
import { Refusal } from '../../../acra/statements/refusal.ts';
import { StatementLog } from '../../../sessions/guard/statement-log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';

function rig() {
  const [clock, logger] = [new FakeClock(), new MemoryLogger()];
  const log = new StatementLog({ clock, logger, slowStatementMs: 1_000, fingerprint: () => '0123456789abcdef' });
  return { clock, logger, log };
}

const slow = (databaseMs: number, kinds: Work['kinds'] = ['select']): Work => ({
  kinds,
  verdict: 'protected',
  refusal: undefined,
  sql: "SELECT 'secret'",
  spent: { judge: 0.12, engine: 20, database: databaseMs },
  sentMs: 0,
});

t.test('tells phases, kind, verdict and fingerprint of a slow statement, and never its text', async (t) => {
  const { logger, log } = rig();
  log.finished(slow(900));
  log.finished(slow(2_000, []));
  t.same(logger.records, []);
  log.finished(slow(1_000, ['insert', 'select', 'insert']));
  t.match(logger.records, [
    {
      level: 'warn',
      event: 'guard.slow-statement',
      fields: {
        fingerprint: '0123456789abcdef',
        statement: 'insert select',
        verdict: 'protected',
        refusal: null,
        judgeMs: 0.1,
        engineMs: 20,
        databaseMs: 1_000,
        leftOut: 0,
      },
    },
  ]);
  t.notMatch(JSON.stringify(logger.records), 'secret');
});

t.test('writes ten records of a kind in a second, and says later how many more there were', async (t) => {
  const { clock, logger, log } = rig();
  for (let count = 0; count < 25; count += 1) log.finished(slow(5_000));
  log.wouldRefuse(new Refusal('order', 'why'), 'SELECT 1');
  t.equal(logger.records.length, 11, 'kinds have room each for itself');
  clock.advance(1_000);
  log.finished(slow(5_000));
  t.match(logger.records.at(-1), { fields: { leftOut: 15 } });
});

t.test('tells of what would be refused the kind, the state and the fingerprint', async (t) => {
  const { logger, log } = rig();
  log.wouldRefuse(new Refusal('order', 'column "secret"'), "SELECT 'secret'");
  t.match(logger.records, [
    { level: 'warn', event: 'guard.would-refuse', fields: { refusal: 'order', sqlState: '0A000', leftOut: 0 } },
  ]);
  t.notMatch(JSON.stringify(logger.records), 'secret');
});
