/** What a program prints while nobody takes the log: left out in the end, and never in silence. */
import { PassThrough } from 'node:stream';
import t from 'tap';
import type { OutputLog } from '../../../../supervisor/control/log-buffer.ts';
import { ProgramOutput } from '../../../../supervisor/workloads/app/output.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';

/** A log of which a test says whether it has room. */
class FullLog extends MemoryLogger implements OutputLog {
  hasRoom = false;
  onTaken(): () => void {
    return () => undefined;
  }
}

t.test('counts lines that are left out, also where no further one comes that could tell of them', async (t) => {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const outputLog = new FullLog();
  const output = new ProgramOutput({ program: 'one', outputLog, logger, clock });
  const stdout = new PassThrough();
  output.attach([stdout]);
  t.equal(output.lostPieces, 0);

  stdout.write('one\ntwo\nthree\n');
  await clock.untilSleeping();
  t.equal(output.lostPieces, 0, 'as long as the program waits');
  clock.advance(2_000);
  await output.settled;
  t.equal(output.lostPieces, 3);
  t.same(logger.events(), ['program.output-untaken']);

  outputLog.hasRoom = true;
  stdout.end('four\n');
  await new Promise((resolve) => stdout.once('close', resolve));
  await output.settled;
  t.match(logger.records.at(-1), { event: 'program.output-lost', fields: { lines: 3 } });
  t.same(
    outputLog.records.map(({ fields }) => fields['text']),
    ['four'],
  );
  t.equal(output.lostPieces, 3, 'a counter only grows');
});
