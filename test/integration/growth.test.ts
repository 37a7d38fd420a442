/**
 * What statements and sessions leave behind in the whole chain: some of every kind, those that fail and those that are cut off included. A million of
 * them, and how memory goes meanwhile, are `make bench-growth` (docs/performance.md).
 */
import t from 'tap';
import { groundOf } from '../../bench/growth/ground.ts';
import { LoadClient } from '../../bench/growth/load/client.ts';
import { type Comers, KINDS, runSession } from '../../bench/growth/load/sessions.ts';
import { prepare, runUnit, UNITS } from '../../bench/growth/load/statements.ts';
import { type Readings, settled, THEIRS } from '../../bench/growth/readings.ts';
import { servingStack } from '../support/stack.ts';

const LANES = 4;
/** Of each kind, on each lane. */
const WARM_UP = 3;
const TIMES = 8;
/** So young programs still take some for themselves. A buffer of 64 KiB for each session or statement would show. */
const MAX_MORE_KIB = 64 * 1024;

/** @returns what went otherwise than it should */
async function lane(comers: Comers, number: number, times: number): Promise<string[]> {
  const surprises: (string | undefined)[] = [];
  const session = { client: await LoadClient.open(comers), target: comers, number };
  await prepare(session);
  for (let time = 0; time < times; time += 1) {
    for (const unit of UNITS) surprises.push((await runUnit(session, unit)).surprise);
    for (const kind of KINDS) surprises.push(await runSession(comers, kind));
  }
  await session.client.end();
  return surprises.filter((each) => each !== undefined);
}

const held = (readings: Readings) =>
  Object.fromEntries(
    Object.entries(readings).map(([name, { descriptors, unixSockets, threads }]) => [
      name,
      // Go keeps threads that it has started for what blocks.
      { descriptors, unixSockets, ...(name === THEIRS ? {} : { threads }) },
    ]),
  );

t.test(
  'keeps no descriptor, socket or thread of statements and sessions that are over, and no memory to speak of',
  {
    timeout: 180_000,
  },
  async (t) => {
    const { stack, address } = await servingStack(t);
    const { comers, pids } = await groundOf(stack, address);
    const lanes = async (times: number) => {
      const all = Array.from({ length: LANES }, (_, at) => lane(comers, at + 1, times));
      t.same((await Promise.all(all)).flat(), [], 'each goes as its kind should');
    };
    await lanes(WARM_UP);
    const before = await settled(pids);
    await lanes(TIMES);
    const after = await settled(pids, before);
    t.strictSame(held(after), held(before));
    for (const [name, { residentKib }] of Object.entries(after)) {
      const more = residentKib - (before[name]?.residentKib ?? 0);
      t.ok(more < MAX_MORE_KIB, `${name}: ${Math.round(more)} KiB more`);
    }
  },
);
