/**
 * The whole chain on this machine beside PostgreSQL alone, a bare acra-server and an enclave that passes TLS through, in one interleaved run.
 * Everything shares the machine's cores, so that absolute numbers say little; the ratios within a run do.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import type { BenchOptions } from '../options.ts';
import { type Progress, tell } from '../progress.ts';
import { machineFacts } from '../report/machine.ts';
import { nameAcraServer, type Part } from '../report/page.ts';
import { Results } from '../report/results.ts';
import { planDecrypt } from './decrypt.ts';
import { planLoss } from './loss.ts';
import { readMemory } from './memory.ts';
import { findPgbench } from './pgbench.ts';
import { type Measured, measureLatency, measureRates } from './rates.ts';
import { chainPart } from './report.ts';
import { SCRIPTS } from './scripts.ts';
import { recoveryMs } from './starts.ts';
import { requireProtected } from './transactions.ts';
import { BARE, startWays, type Way } from './ways.ts';

/** To prepare both stacks. */
const PREPARE_MS = 15_000;
const BOOT_MS = 2_000;
const RECOVERY_MS = 500;
/** Of each run of pgbench, with what a client takes to log in through all programs. */
const RUN_MS = 300;
const LOG_IN_MS = 12;
/** A thousand rows for each of many clients take as long as they take. */
const ROWS_MS = 60;
const START_LIMIT_MS = 300_000;
/** A kill that is not recovered from ends the benchmark. */
const RECOVERY_LIMIT_MS = 60_000;

type Case = Pick<Measured, 'script' | 'protocol' | 'clients'> & { readonly isLow: boolean; readonly plannedMs: number };

/** Each workload with each protocol: at a low rate, and with each number of clients. */
function casesOf({ workloads, protocols, clients, seconds }: BenchOptions): Case[] {
  return SCRIPTS.filter(({ name }) => workloads.includes(name)).flatMap((script) =>
    protocols.flatMap((protocol, index) => {
      const ms = (count: number) =>
        4 * (RUN_MS + 1_000 * seconds + LOG_IN_MS * count + (script.name === 'rows' ? ROWS_MS * count : 0));
      const busy = clients.map((count): Case => {
        return { script, protocol, clients: count, isLow: false, plannedMs: ms(count) };
      });
      const low: Case = { script, protocol, clients: 1, isLow: true, plannedMs: ms(1) + 4_000 };
      return index === 0 ? [...busy, low] : busy;
    }),
  );
}

/** @returns what measures, and then says what was measured; undefined where pgbench is missing */
export function planChainBench(
  options: BenchOptions,
  acraProgram: AcraProgram,
  progress: Progress,
  signal: AbortSignal,
): (() => Promise<Part>) | undefined {
  const { rounds, seconds } = options;
  const pgbench = findPgbench();
  if (pgbench === undefined) {
    tell('left out: the chain, for pgbench is not installed (Debian: postgresql)');
    return undefined;
  }
  const facts = machineFacts({ [pgbench]: ['--version'] });
  const cases = casesOf(options);
  const startMs = PREPARE_MS + rounds * BOOT_MS;
  progress.plan(startMs + rounds * (BOOT_MS + RECOVERY_MS + cases.reduce((sum, { plannedMs }) => sum + plannedMs, 0)));
  const measureLoss = planLoss({ rounds, seconds }, progress);
  const measureDecrypt = planDecrypt(rounds, progress);
  const [results, cpu] = [new Results(), new Results()];

  async function measureCases(ways: readonly Way[]): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (const { isLow, plannedMs, ...each } of cases) {
        const { script, protocol, clients } = each;
        const how = isLow ? 'at a low rate' : `${clients} client${clients > 1 ? 's' : ''}`;
        progress.step(`round ${round + 1} of ${rounds}: ${script.name}, ${protocol}, ${how}`, plannedMs);
        const measured = {
          ...each,
          pgbench: pgbench ?? '',
          ways,
          signal,
          seconds: isLow ? Math.max(1, seconds) : seconds,
        };
        if (isLow) await measureLatency(measured, round, results);
        else await measureRates(measured, round, results, cpu);
      }
    }
  }

  return async () => {
    await using stops = new AsyncDisposableStack();
    const root = mkdtempSync(join(tmpdir(), 'ab-'));
    stops.defer(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));
    progress.step(`starting everything, with ${acraProgram.description}`, startMs);
    const starting = AbortSignal.any([signal, AbortSignal.timeout(START_LIMIT_MS)]);
    const { ways, stack, address, starts } = await startWays(
      { root, acraProgram, boots: rounds, signal: starting },
      stops,
    );
    const idle = readMemory(stack);
    await measureCases(ways);
    await requireProtected(stack);
    const bare = ways.find(({ name }) => name === BARE);
    if (bare?.acraPid === undefined) throw new Error('there is no bare acra-server');
    const ground = { stack, address, bare: { address: bare.address, pid: bare.acraPid }, rounds, seconds, signal };
    const loss = await measureLoss(ground);
    const afterLoad = readMemory(stack);
    const decrypt = await measureDecrypt(stack, signal);
    progress.step('kills of acra-server', rounds * (BOOT_MS + RECOVERY_MS));
    const recoveriesMs: number[] = [];
    for (let kill = 0; kill < rounds; kill += 1)
      recoveriesMs.push(await recoveryMs(stack, AbortSignal.any([signal, AbortSignal.timeout(RECOVERY_LIMIT_MS)])));
    const acraServer = nameAcraServer(acraProgram.description);
    const told = {
      results,
      cpu,
      loss,
      decrypt,
      facts,
      acraServer,
      rounds,
      seconds,
      starts,
      recoveriesMs,
      idle,
      afterLoad,
    };
    return chainPart(told);
  };
}
