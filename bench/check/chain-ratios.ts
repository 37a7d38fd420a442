/**
 * Processor time of our programs on a statement's way beside that of the database for the same statement, with eight clients through the
 * whole chain: of one that nothing protects, and of one with two protected columns. With the real acra-server
 * also beside that of acra-server.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { Stack } from '../../cli/demo/stack.ts';
import { acraPid, acraUnderTest } from '../../test/support/stack.ts';
import { type CpuUs, OURS, readCpu, sinceUs } from '../chain/cpu.ts';
import { median } from '../median.ts';
import { tell } from '../progress.ts';
import type { Ratio } from './ratio.ts';

const ROUNDS = 5;
const CLIENTS = 8;
const STATEMENTS = 250;
const STATEMENTS_BY_NAME = {
  untouched: 'SELECT id, name FROM patients WHERE id = 1',
  protected: 'SELECT id, email, diagnosis FROM patients WHERE id = 1',
} as const;

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
    for (const [name, statement] of Object.entries(STATEMENTS_BY_NAME)) {
      const before = readCpu(stack, pid);
      await ask(clients, statement);
      // The first is there to warm up.
      if (round >= 0) rounds.push({ name, spent: sinceUs(before, readCpu(stack, pid)) });
    }
  }
  const of = (name: string, what: string, cost: (spent: CpuUs) => number): Ratio => {
    const each = rounds.filter((round) => round.name === name).map(({ spent }) => cost(spent));
    return { name: `chain, ${name}: CPU of ${what}`, measured: median(each), rounds: each };
  };
  const ours = (spent: CpuUs) => OURS.reduce((sum, program) => sum + spent[program], 0);
  const names = Object.keys(STATEMENTS_BY_NAME);
  return [
    ...names.map((name) => of(name, "ours beside the database's", (spent) => ours(spent) / spent.database)),
    ...(hasEngine ? [of('protected', "ours beside acra-server's", (spent) => ours(spent) / spent['acra-server'])] : []),
  ];
}

export async function chainRatios(): Promise<Ratio[]> {
  const root = mkdtempSync(join(tmpdir(), 'ab-'));
  const acraProgram = await acraUnderTest();
  tell(`chain, with ${acraProgram.description}`);
  const signal = AbortSignal.timeout(60_000);
  const stack = await Stack.prepare({ root, acraProgram, signal });
  try {
    await stack.allowMeasuredEnclave();
    await stack.enclave.startHostProxy();
    stack.enclave.startSupervisor();
    const address = await stack.enclave.untilServing(signal);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectThroughEnclave(stack, address)));
    const [first] = clients;
    await first?.query("INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'A', 'a@example.org', 'gout')");
    const ratios = await ratiosOf(stack, clients, Boolean(process.env['ACRA_SERVER']));
    for (const client of clients) await client.end();
    return ratios;
  } finally {
    await stack.stop();
    rmSync(root, { recursive: true, force: true });
  }
}
