/** What a process holds, as one tells that has used up its descriptors. */
import { spawnSync } from 'node:child_process';
import t from 'tap';

const LIMIT = 200;

/** @param before how often it is asked before none is left */
function toldWithNoneLeft(before: number): unknown {
  const module = new URL('../../../system/processes/own-resources.ts', import.meta.url).href;
  const program = `
    import { openSync } from 'node:fs';
    import { availableMemoryBytes, ownDescriptors, ownResidentBytes } from '${module}';
    const told = () => ({ ...ownDescriptors(), hasMemory: ownResidentBytes() > 0, hasMore: availableMemoryBytes() > 0 });
    for (let asked = 0; asked < ${before}; asked += 1) told();
    try { for (;;) openSync('/dev/null', 'r'); } catch {}
    process.stdout.write(JSON.stringify(told()));`;
  const node = `exec "$0" --disable-warning=ExperimentalWarning --input-type=module --eval "$1"`;
  const args = ['-c', `ulimit -n ${LIMIT} && ${node}`, process.execPath, program];
  const { stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8' });
  if (stdout === '') t.comment(stderr);
  return JSON.parse(stdout || 'null');
}

t.test('tells that all descriptors are open where none is left to look with, and lets the daemon go on', async (t) => {
  t.same(toldWithNoneLeft(1), { open: LIMIT, limit: LIMIT, hasMemory: true, hasMore: true });
});

t.test('does so also where it has never looked before', async (t) => {
  const limit = Number.MAX_SAFE_INTEGER;
  t.same(toldWithNoneLeft(0), { open: limit, limit, hasMemory: false, hasMore: false });
});
