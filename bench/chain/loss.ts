/**
 * What each part of a session's way costs for one statement: µs that a single client waits, and µs of the processor, of all programs together,
 * with eight clients. Each point of the way is asked in turn in each round; simple protocol.
 */
import type { Duplex } from 'node:stream';
import type { Stack } from '../../cli/demo/stack.ts';
import { QUERY } from '../../postgres/messages.ts';
import { acraPid } from '../../test/support/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { median } from '../median.ts';
import type { Progress } from '../progress.ts';
import { Results } from '../report/results.ts';
import { readCpu, sinceUs, sumUs } from './cpu.ts';
import { BARE_POINT, openPoints, type Point, untilReady } from './points.ts';
import { ONE_ROW } from './selects.ts';

const CLIENTS = 8;
/** A statement at a point takes less. */
const PLANNED_MS = 1;
const MIN_TIMES = 25;

export interface LossGround {
  readonly stack: Stack;
  readonly address: TcpEndpoint;
  readonly bare: { readonly address: TcpEndpoint; readonly pid: number };
  readonly rounds: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

async function ask(session: Duplex, message: Buffer, times: number): Promise<number[]> {
  const tookMs: number[] = [];
  for (let at = 0; at < times; at += 1) {
    const startedMs = performance.now();
    session.write(message);
    await untilReady(session);
    tookMs.push(performance.now() - startedMs);
  }
  return tookMs;
}

async function measurePoint({ name, sessions }: Point, message: Buffer, times: number, ground: LossGround) {
  const { stack, bare } = ground;
  const [first] = sessions;
  if (!first) throw new Error(`no session at the ${name}`);
  const waitUs = 1_000 * median(await ask(first, message, times));
  const pid = name === BARE_POINT ? bare.pid : acraPid(stack.enclave);
  const before = readCpu(stack, pid, 'self');
  await Promise.all(sessions.map((session) => ask(session, message, times)));
  const cpuUs = sumUs(sinceUs(before, readCpu(stack, pid, 'self'), sessions.length * times));
  return { waitUs, cpuUs };
}

/** @returns by statement and point */
export function planLoss({ rounds, seconds }: Pick<LossGround, 'rounds' | 'seconds'>, progress: Progress) {
  const times = Math.max(MIN_TIMES, Math.round((200 * seconds) / PLANNED_MS));
  const plannedMs = 12 * times * PLANNED_MS * 2;
  progress.plan((rounds + 1) * plannedMs);
  return async (ground: LossGround): Promise<Results> => {
    await using stops = new AsyncDisposableStack();
    const points = await openPoints({ ...ground, bare: ground.bare.address }, CLIENTS, stops);
    const results = new Results();
    // The first is there to warm up.
    for (let round = -1; round < rounds; round += 1) {
      const which = round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`;
      progress.step(`${which}: parts of a statement’s way`, plannedMs);
      for (const [statement, sql] of Object.entries(ONE_ROW)) {
        for (const point of points) {
          ground.signal.throwIfAborted();
          const sample = await measurePoint(point, QUERY.encode(sql), times, ground);
          if (round >= 0) results.add({ statement }, point.name, round, sample);
        }
      }
    }
    return results;
  };
}
