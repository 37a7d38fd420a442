/**
 * Processor time of our programs on a statement's way beside that of the database for the same statement, with eight clients through the
 * whole chain: of one that nothing protects, and of one with two protected columns. With the real acra-server
 * also beside that of acra-server.
 */
import type pg from 'pg';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { acraPid, acraUnderTest } from '../../test/support/stack.ts';
import { type CpuUs, OURS, readCpu, sinceUs } from '../chain/cpu.ts';
import { ONE_ROW } from '../chain/selects.ts';
import { median } from '../median.ts';
import type { Progress } from '../progress.ts';
import { startServing } from '../serving.ts';
import type { Ratio } from './ratio.ts';

const ROUNDS = 5;
const PLANNED_MS = 25_000;
const START_LIMIT_MS = 60_000;
const CLIENTS = 8;
const STATEMENTS = 250;

async function ask(clients: readonly pg.Client[], statement: string): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      for (let count = 0; count < STATEMENTS; count++) await client.query(statement);
    }),
  );
}

async function ratiosOf(stack: Stack, clients: readonly pg.Client[], hasEngine: boolean): Promise<Ratio[]> {
  const pid = acraPid(stack.enclave);
  const rounds: { name: string; spent: CpuUs }[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, statement] of Object.entries(ONE_ROW)) {
      const before = readCpu(stack, pid, 'self');
      await ask(clients, statement);
      // The first is there to warm up.
      if (round >= 0) rounds.push({ name, spent: sinceUs(before, readCpu(stack, pid, 'self')) });
    }
  }
  const of = (name: string, what: string, cost: (spent: CpuUs) => number): Ratio => {
    const each = rounds.filter((round) => round.name === name).map(({ spent }) => cost(spent));
    return { name: `chain, ${name}: CPU of ${what}`, measured: median(each), rounds: each };
  };
  const ours = (spent: CpuUs) => OURS.reduce((sum, program) => sum + spent[program], 0);
  const names = Object.keys(ONE_ROW);
  return [
    ...names.map((name) => of(name, "ours beside the database's", (spent) => ours(spent) / spent.database)),
    ...(hasEngine ? [of('protected', "ours beside acra-server's", (spent) => ours(spent) / spent['acra-server'])] : []),
  ];
}

async function measureChain(acraProgram: AcraProgram, isReal: boolean, signal: AbortSignal): Promise<Ratio[]> {
  await using stops = new AsyncDisposableStack();
  const starting = AbortSignal.any([signal, AbortSignal.timeout(START_LIMIT_MS)]);
  const { stack, address } = await startServing(acraProgram, starting, stops);
  const clients: pg.Client[] = [];
  for (let count = 0; count < CLIENTS; count += 1) {
    const client = await connectThroughEnclave(stack, address);
    stops.defer(() => client.end());
    clients.push(client);
  }
  const [first] = clients;
  await first?.query("INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'A', 'a@example.org', 'gout')");
  return await ratiosOf(stack, clients, isReal);
}

export function planChainRatios(progress: Progress, signal: AbortSignal): () => Promise<Ratio[]> {
  progress.plan(PLANNED_MS);
  return async () => {
    const acraProgram = await acraUnderTest();
    progress.step(`chain, with ${acraProgram.description}`, PLANNED_MS);
    return measureChain(acraProgram, acraProgram.kind !== 'stand-in', signal);
  };
}
