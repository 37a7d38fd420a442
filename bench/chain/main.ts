/**
 * The whole chain on this machine beside PostgreSQL alone, a bare acra-server and an enclave that passes TLS through, in one interleaved run:
 *
 *   node bench/chain/main.ts [--rounds 3] [--seconds 3] [--clients 1,8,64] [--workloads …] [--protocols …] [--write]
 *
 * pgbench comes with Debian's `postgresql`. Everything shares the machine's cores, so that absolute numbers say little; the ratios within a run do. Writes
 * build/bench/chain.csv; with --write its part of docs/performance.md and the charts.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Stack } from '../../cli/demo/stack.ts';
import { acraUnderTest, childPid } from '../../test/support/stack.ts';
import { memoryOf } from '../proc.ts';
import { tell } from '../progress.ts';
import { machineFacts } from '../report/machine.ts';
import { Results } from '../report/results.ts';
import { CpuTable } from './cpu-table.ts';
import { measureHops } from './hops.ts';
import { findPgbench, type Protocol, SELECTS } from './pgbench.ts';
import { LOW_RATE, measureLatency, measureRates } from './rates.ts';
import { chainReport } from './report.ts';
import { recoveryMs } from './starts.ts';
import { requireProtected, TRANSACTIONS } from './transactions.ts';
import { BARE, startWays } from './ways.ts';

const SCRIPTS = [...SELECTS, ...TRANSACTIONS];
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1,8,64' },
    workloads: { type: 'string', default: SCRIPTS.map(({ name }) => name).join(',') },
    protocols: { type: 'string', default: 'simple,prepared' },
    write: { type: 'boolean', default: false },
  },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const listOf = (text: string) => text.split(',');

function memoryLine({ enclave }: Stack, when: string): string {
  const mib = (pid = 0) => Math.round(memoryOf(pid, 'VmRSS') / 2 ** 20);
  const of = (kind: 'front' | 'guard' | 'acra') => mib(childPid(enclave, kind));
  const { supervisor, hostProxy } = enclave;
  return `Resident MiB ${when}: supervisor ${mib(supervisor?.pid)} (it holds the emulated security module), front ${of('front')}, guard ${of('guard')}, acra-server ${of('acra')}, host-proxy ${mib(hostProxy?.pid)}.`;
}

const pgbench = findPgbench();
if (!pgbench) throw new Error('pgbench is not installed (Debian: postgresql)');
const acraProgram = await acraUnderTest();
const facts = machineFacts({ [pgbench]: ['--version'] });
await using stops = new AsyncDisposableStack();
const root = mkdtempSync(join(tmpdir(), 'ab-'));
stops.defer(() => rmSync(root, { recursive: true, force: true }));
tell(`starting everything, with ${acraProgram.description}`);
const { ways, stack, address, starts } = await startWays(
  { root, acraProgram, boots: rounds, signal: AbortSignal.timeout(300_000) },
  stops,
);
const results = new Results();
const cpu = new CpuTable();
const idle = memoryLine(stack, 'idle');
for (let round = 0; round < rounds; round++) {
  for (const script of SCRIPTS.filter(({ name }) => listOf(values.workloads).includes(name))) {
    for (const protocol of listOf(values.protocols) as Protocol[]) {
      for (const clients of listOf(values.clients).map(Number)) {
        tell(`round ${round + 1} of ${rounds}: ${script.name}, ${protocol}, ${clients} clients`);
        measureRates({ pgbench, ways, script, protocol, clients, seconds }, round, results, cpu);
      }
      tell(`round ${round + 1} of ${rounds}: ${script.name}, ${protocol}, ${LOW_RATE} a second`);
      measureLatency({ pgbench, ways, script, protocol, clients: 1, seconds }, round, results);
    }
  }
}
await requireProtected(stack);
tell('hops');
const bare = ways.find(({ name }) => name === BARE);
const hops = bare ? await measureHops(stack, address, bare.address) : '';
const memory = `${idle} ${memoryLine(stack, 'after the load')}`;
tell('kills of acra-server');
const recoveriesMs: number[] = [];
for (let kill = 0; kill < rounds; kill += 1) recoveriesMs.push(await recoveryMs(stack, address));
mkdirSync('build/bench', { recursive: true });
writeFileSync('build/bench/chain.csv', results.csv());
const digest = /sha256 \w+/.exec(acraProgram.description)?.[0];
const acraServer = digest === undefined ? 'the stand-in for acra-server' : `acra-server, ${digest}…`;
const isWritten = values.write;
console.log(
  chainReport({
    results,
    facts,
    acraServer,
    rounds,
    seconds,
    starts,
    recoveriesMs,
    memory,
    cpu: cpu.markdown,
    hops,
    isWritten,
  }),
);
