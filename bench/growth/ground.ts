/** The whole chain, with rows in the table, and what the loads need to know of it. */
import type { AcraProgram } from '../../acra/obtain/program.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { createAuthority } from '../../emulator/pki/authority.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { startServing } from '../serving.ts';
import { LoadClient } from './load/client.ts';
import type { Comers } from './load/sessions.ts';
import { insertRows } from './load/statements.ts';
import { type Pids, pidsOf } from './readings.ts';

export interface Ground {
  readonly stack: Stack;
  readonly comers: Comers;
  /** Anew each time: what ends is started again. */
  readonly pids: () => Pids;
}

/** @param stack that serves at the address, with an empty table */
export async function groundOf(stack: Stack, address: TcpEndpoint): Promise<Ground> {
  const { applicationCaPem: caPem, client: certificate } = stack.parts.certificates;
  const stranger = await createAuthority({ commonName: 'another CA', clock: systemClock });
  const wrong = await stranger.issue({ commonName: 'demo-application', kind: 'client' });
  const comers: Comers = { address, caPem, certificate, wrong };
  const client = await LoadClient.open(comers);
  await client.ask(insertRows());
  await client.end();
  return { stack, comers, pids: () => pidsOf(stack.enclave) };
}

const START_MS = 120_000;

/** @param stops what gives all of it back */
export async function startGround(acraProgram: AcraProgram, stops: AsyncDisposableStack): Promise<Ground> {
  const { stack, address } = await startServing(acraProgram, AbortSignal.timeout(START_MS), stops);
  return groundOf(stack, address);
}
