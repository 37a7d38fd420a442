/**
 * Measures the whole chain on this machine: time from start to ready, resident memory, time to recover from a killed
 * acra-server, and pgbench through the chain against bare acra-server, interleaved in the same run; what each process on the way takes of
 * the processor, and how long one client waits at each hop.
 *
 *   node bench/chain/main.ts [--rounds 3] [--seconds 5] [--clients 1,8] [--workloads protected,untouched,rows,tpc-b,journal]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { locateAcraServer } from '../../acra/obtain/locate.ts';
import { acraCacheFolder } from '../../cli/acra-cache.ts';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { Stack } from '../../cli/demo/stack.ts';
import { STAND_IN_COMMAND } from '../../emulator/acra-server/command.ts';
import { acraPid, childPid } from '../../test/support/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { median } from '../median.ts';
import { startBareAcra } from './bare-acra.ts';
import { CpuTable } from './cpu-table.ts';
import { measureHops } from './hops.ts';
import { findPgbench, insertRows, type PgbenchRun, type Rate, runPgbench, SELECTS } from './pgbench.ts';
import * as transactions from './transactions.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '1,8' },
    workloads: { type: 'string', default: 'protected,untouched,rows,tpc-b,journal' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const workloads = values.workloads.split(',');
/** Of whole transactions. */
const TRANSACTION_CLIENTS = 10;

const round = (number: number) => Math.round(number).toLocaleString('en');
const residentMiB = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** Boots `rounds` times; the last enclave is left running. Returns milliseconds from its start to ready. */
async function measureStarts(stack: Stack): Promise<{ startsMs: number[]; address: TcpEndpoint }> {
  const signal = AbortSignal.timeout(120_000);
  const startsMs: number[] = [];
  await stack.enclave.startHostProxy();
  for (let i = 0; ; i += 1) {
    const before = await stack.enclave.until(() => true, signal);
    const startMs = performance.now();
    stack.enclave.startSupervisor();
    await stack.enclave.until(({ ready, bootId }) => ready && bootId !== before.bootId, signal);
    startsMs.push(performance.now() - startMs);
    if (i + 1 >= rounds) break;
    await stack.enclave.supervisor?.stop();
  }
  return { startsMs, address: await stack.enclave.untilServing(signal) };
}

async function measureRecovery(stack: Stack, address: TcpEndpoint): Promise<number> {
  const pid = acraPid(stack.enclave);
  const startMs = performance.now();
  process.kill(pid, 'SIGKILL');
  for (;;) {
    const client = await connectThroughEnclave(stack, address).catch(() => undefined);
    if (client) {
      await client.query('SELECT 1');
      await client.end();
      if (acraPid(stack.enclave) !== pid) return performance.now() - startMs;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function measureThroughput(stack: Stack, address: TcpEndpoint): Promise<void> {
  const pgbench = findPgbench();
  if (!pgbench) {
    console.log('pgbench is not installed (Debian: postgresql); throughput was not measured');
    return;
  }
  const client = await connectThroughEnclave(stack, address);
  await client.query(insertRows);
  await client.end();
  await transactions.prepareTransactions(stack, address);
  const bare = await startBareAcra(stack, acraPid(stack.enclave));
  const cpu = new CpuTable(stack);
  console.log(`\nTPS, medians of ${rounds} rounds of ${seconds} s, one after the other`);
  console.log('workload   protocol  clients  bare acra-server  through the chain  ratio (each round)');
  for (const clients of values.clients.split(',').map(Number)) {
    for (const script of SELECTS.filter(({ name }) => workloads.includes(name))) {
      for (const protocol of ['simple', 'prepared'] as const) {
        compare({ pgbench, stack, script, protocol, clients, seconds }, bare, address, cpu);
      }
    }
  }
  cpu.print();
  await measureHops(stack, address, bare.address);
  console.log(
    '\nworkload   protocol  clients  PostgreSQL alone  bare acra-server  through the chain  ratio to acra-server (each round)',
  );
  for (const script of transactions.TRANSACTIONS.filter(({ name }) => workloads.includes(name))) {
    const run = { pgbench, stack, script, protocol: 'extended', clients: TRANSACTION_CLIENTS, seconds } as const;
    compareAll(run, bare.address, address);
    await transactions.requireProtected(stack);
  }
  await bare.stop();
}

type Measured = Omit<PgbenchRun, 'address'>;

function compare(
  run: Measured,
  bare: Awaited<ReturnType<typeof startBareAcra>>,
  chain: TcpEndpoint,
  cpu: CpuTable,
): void {
  const inEnclave = acraPid(run.stack.enclave);
  showRates(
    run,
    Array.from({ length: rounds }, () => [
      cpu.around(run, 'bare', bare.pid, () => runPgbench({ ...run, address: bare.address })),
      cpu.around(run, 'chain', inEnclave, () => runPgbench({ ...run, address: chain })),
    ]),
  );
}

function compareAll(run: Measured, bare: TcpEndpoint, chain: TcpEndpoint): void {
  const { host, port } = run.stack.parts.postgres;
  const alone = {
    ...run,
    address: { kind: 'tcp', host, port },
    database: { options: `-c search_path=${transactions.PLAIN_SCHEMA}` },
  } as const;
  showRates(
    run,
    Array.from({ length: rounds }, () => [
      runPgbench(alone),
      runPgbench({ ...run, address: bare }),
      runPgbench({ ...run, address: chain }),
    ]),
  );
}

/** @param all of each round: the chain's last, behind what it is compared with. */
function showRates({ script, protocol, clients }: Measured, all: readonly (readonly Rate[])[]): void {
  const rateOf = (rate: Rate | undefined) => rate?.transactions ?? 0;
  const columns = (all[0] ?? []).map((_, at) => round(median(all.map((each) => rateOf(each[at])))).padStart(16));
  const ratios = all.map((each) => rateOf(each.at(-1)) / rateOf(each.at(-2)));
  console.log(
    `${script.name.padEnd(9)}  ${protocol.padEnd(8)}  ${String(clients).padStart(7)}  ${columns.join('  ')}   ` +
      `${median(ratios).toFixed(2)} (${ratios.map((ratio) => ratio.toFixed(2)).join(', ')})`,
  );
}

const root = mkdtempSync(join(tmpdir(), 'ab-'));
const acraProgram = await locateAcraServer({
  environment: process.env,
  cacheFolder: acraCacheFolder(process.env),
  standIn: STAND_IN_COMMAND,
});
console.log(`acra-server: ${acraProgram.description}`);
const signal = AbortSignal.timeout(60_000);
const stack = await Stack.prepare({ root, acraProgram, guardList: transactions.GUARD_LIST, signal });
try {
  transactions.configureTransactions(stack);
  await stack.allowMeasuredEnclave();
  const { startsMs, address } = await measureStarts(stack);
  console.log(`start to ready: median ${round(median(startsMs))} ms of ${startsMs.map(round).join(', ')}`);
  const recoveriesMs: number[] = [];
  for (let i = 0; i < rounds; i += 1) recoveriesMs.push(await measureRecovery(stack, address));
  console.log(
    `acra-server killed, to the next answered query: median ${round(median(recoveriesMs))} ms of ${recoveriesMs.map(round).join(', ')}`,
  );
  const { supervisor, hostProxy } = stack.enclave;
  const residentOf = (kind: 'front' | 'guard' | 'acra') => round(residentMiB(childPid(stack.enclave, kind)));
  const showMemory = (when: string) =>
    console.log(
      `resident MiB ${when}: supervisor ${round(residentMiB(supervisor?.pid ?? 0))}, front ${residentOf('front')}, guard ${residentOf('guard')}, acra-server ${residentOf('acra')}; host-proxy ${round(residentMiB(hostProxy?.pid ?? 0))}`,
    );
  showMemory('idle');
  await measureThroughput(stack, address);
  showMemory('after load');
} finally {
  await stack.stop();
  rmSync(root, { recursive: true, force: true });
}
