/** PID 1 over a long time: 500 restarts of a short-lived child leave neither zombies nor memory behind. */
import { realpathSync } from 'node:fs';
import t from 'tap';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { EnclaveStack } from '../enclave/support/enclave-stack.ts';
import { reportsIn } from '../support/console-reports.ts';
import { ORPHANS, RESTARTS } from './support/restarts.ts';

interface Report {
  readonly restarts: number;
  /** Both after all that is free was given back: what V8 makes its new space of, it takes and keeps as a process goes on. */
  readonly rssKiB: number;
  readonly heapKiB: number;
  readonly descriptors: number;
  readonly zombies: number;
  /** Processes that lost their parent and were waited for. */
  readonly orphans: number;
}

/** What may wander about between two looks: compiled code, pages that are used in part. */
const HEAP_WANDERING_KIB = 1024;
const MEMORY_WANDERING_KIB = 4 * 1024;
/** A young process still grows into its size. */
const SETTLED_AFTER = 200;

t.test('PID 1 and its short-lived children', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  const program = realpathSync('/usr/bin/env');
  const image = await stack.build({
    init: 'test/vm/images/restarts.ts',
    acraServer: { kind: 'path', program, leadingArguments: [], sha256: await sha256OfFile(program) },
  });
  const daemon = await stack.run(image, { run: { heartbeatMs: 600_000 } });
  await daemon.exited;
  const reports = reportsIn<Report>(stack.console(), 'RESTARTS');
  const first = reports.find(({ restarts }) => restarts === SETTLED_AFTER);
  const last = reports.at(-1);
  if (!first || !last) throw new Error('the image reported nothing');
  t.ok(last.restarts > RESTARTS, `restarted ${last.restarts} times`);
  t.equal(last.orphans, ORPHANS, 'orphans were taken in');
  t.equal(last.zombies, 0);
  t.ok(last.heapKiB - first.heapKiB < HEAP_WANDERING_KIB, `heap ${first.heapKiB} KiB, then ${last.heapKiB} KiB`);
  t.ok(last.rssKiB - first.rssKiB < MEMORY_WANDERING_KIB, `resident ${first.rssKiB} KiB, then ${last.rssKiB} KiB`);
  t.equal(last.descriptors, first.descriptors);
});
