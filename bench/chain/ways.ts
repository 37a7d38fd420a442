/**
 * The ways to the data that are compared, all of them there at once: a database alone and behind a bare acra-server, and the enclave that ends
 * clients' TLS in front of the same database; beside it another stack whose enclave passes TLS through to acra-server.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import { Stack, type StackOptions } from '../../cli/demo/stack.ts';
import { acraPid, IN_LINE } from '../../test/support/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { startBareAcra } from './bare-acra.ts';
import { insertPlainRows, insertRows } from './selects.ts';
import { bootTimes, type Starts } from './starts.ts';
import * as transactions from './transactions.ts';

export const TERMINATE = 'terminate, with guard';
export const BARE = 'bare acra-server';
export const ALONE = 'PostgreSQL alone';
export const PASSTHROUGH = 'passthrough';

export interface Way {
  readonly name: string;
  readonly stack: Stack;
  readonly address: TcpEndpoint;
  /** The acra-server that is on it. */
  readonly acraPid: number | undefined;
  /** Settings of a session with the database itself. */
  readonly database?: { readonly options: string };
}

export interface Ground {
  readonly ways: readonly Way[];
  /** The stack of the enclave that ends TLS. */
  readonly stack: Stack;
  readonly address: TcpEndpoint;
  readonly starts: Starts;
}

interface Options {
  readonly root: string;
  readonly acraProgram: AcraProgram;
  /** Boots of the enclave that ends TLS. */
  readonly boots: number;
  readonly signal: AbortSignal;
}

async function fill(stack: Stack, address: TcpEndpoint): Promise<void> {
  const client = await connectThroughEnclave(stack, address);
  await client.query(insertRows);
  await client.end();
  await transactions.prepareTransactions(stack, address);
}

async function fillPlain(stack: Stack): Promise<void> {
  const owner = await connectDirectly(stack);
  await owner.query(insertPlainRows(transactions.PLAIN_SCHEMA));
  await owner.end();
}

async function prepared(
  options: Options,
  name: string,
  settings: Partial<StackOptions>,
  stops: AsyncDisposableStack,
): Promise<Stack> {
  const { acraProgram, signal } = options;
  const root = join(options.root, name);
  mkdirSync(root);
  const stack = await Stack.prepare({ root, acraProgram, signal, ...settings });
  stops.defer(() => stack.stop());
  transactions.configureTransactions(stack);
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  return stack;
}

/** @param stops what gives all of it back */
export async function startWays(options: Options, stops: AsyncDisposableStack): Promise<Ground> {
  const stack = await prepared(options, 't', { guardList: transactions.GUARD_LIST }, stops);
  const starts = await bootTimes(stack, options.boots, options.signal);
  const address = await stack.enclave.untilServing(options.signal);
  await fill(stack, address);
  await fillPlain(stack);
  const bare = await startBareAcra(stack, acraPid(stack.enclave));
  stops.defer(() => bare.stop());
  const passing = await prepared(options, 'p', IN_LINE, stops);
  passing.enclave.startSupervisor();
  const passedTo = await passing.enclave.untilServing(options.signal);
  await fill(passing, passedTo);
  const { host, port } = stack.parts.postgres;
  const database = { options: `-c search_path=${transactions.PLAIN_SCHEMA}` };
  return {
    stack,
    address,
    starts,
    ways: [
      { name: ALONE, stack, address: { kind: 'tcp', host, port }, acraPid: undefined, database },
      { name: BARE, stack, address: bare.address, acraPid: bare.pid },
      { name: PASSTHROUGH, stack: passing, address: passedTo, acraPid: acraPid(passing.enclave) },
      { name: TERMINATE, stack, address, acraPid: acraPid(stack.enclave) },
    ],
  };
}
