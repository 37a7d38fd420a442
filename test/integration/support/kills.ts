/** A tool that is at work while it, the parts of an enclave, and processes of the database are killed, until it has done its work. */
import type pg from 'pg';
import type { Test } from 'tap';
import type { EnclavePair } from '../../../cli/demo/enclave-pair.ts';
import type { Random } from '../../../runtime/random.ts';
import type { Run } from '../../cli/support/acra-enclave.ts';
import { childPid } from '../../support/stack.ts';
import { Insistent } from './busy-writers.ts';

type Victim = 'tool' | 'guard' | 'acra' | 'front' | 'database' | 'supervisor';
const VICTIMS: readonly Victim[] = ['tool', 'guard', 'database', 'acra', 'front', 'supervisor'];

interface Kill {
  /** When so much is done. */
  readonly at: number;
  readonly victim: Victim;
}

export interface AmongKills {
  readonly pair: EnclavePair;
  readonly direct: () => Promise<pg.Client>;
  /** SQL of how much is done. */
  readonly done: string;
  /** Starts the tool. */
  readonly run: () => Run;
  readonly kills: readonly Kill[];
}

/** Somewhere in each of so many parts of the work. */
export function killsAmong(rows: number, count: number, random: Random): readonly Kill[] {
  return Array.from({ length: count }, (_, index) => ({
    at: Math.floor(((index + 0.3 + (random.bytes(1)[0] ?? 0) / 512) * rows * 0.9) / count),
    victim: VICTIMS[index % VICTIMS.length] ?? 'tool',
  }));
}

async function kill({ pair, direct }: AmongKills, victim: Victim): Promise<void> {
  if (victim === 'database') {
    const client = await direct();
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    // A server process that is killed takes all others with it, and the database recovers from its log.
    process.kill(rows[0].pid, 'SIGKILL');
  } else if (victim === 'supervisor') {
    pair.supervisor?.kill('SIGKILL');
    await pair.supervisor?.exited;
    pair.startSupervisor();
  } else if (victim !== 'tool') process.kill(childPid(pair, victim), 'SIGKILL');
}

/** What it exits with where the enclave or the database does not come back, and when it is killed. */
const PASSING: readonly (number | undefined)[] = [69, undefined];

/** Starts the tool again until it exits with 0; at each of these points something is killed. */
export async function runAmongKills(t: Test, among: AmongKills) {
  const watch = new Insistent(among.direct);
  const left = [...among.kills];
  for (let starts = 1; ; starts += 1) {
    const run = among.run();
    let isOver = false;
    void run.outcome.then(() => {
      isOver = true;
    });
    while (!isOver && left[0]) {
      const [[count] = []] = await watch.query(among.done).catch(() => [[Number.POSITIVE_INFINITY]]);
      if (count < left[0].at) continue;
      const { victim, at } = left[0];
      left.shift();
      t.comment(`${victim} is killed at ${at} (${count})`);
      if (victim === 'tool') run.child.kill('SIGKILL');
      await kill(among, victim);
      if (victim === 'tool') break;
    }
    const { code, stdout, stderr } = await run.outcome;
    if (code === 0) {
      await watch.end();
      return { starts, report: JSON.parse(stdout), killed: among.kills.length - left.length };
    }
    if (!PASSING.includes(code)) throw new Error(`the tool ended with ${code}: ${stdout}${stderr}`);
  }
}
