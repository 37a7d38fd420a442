/** A chain that serves, in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AcraProgram } from '../acra/obtain/program.ts';
import { Stack } from '../cli/demo/stack.ts';
import type { TcpEndpoint } from '../wire/endpoint.ts';

export interface Serving {
  readonly stack: Stack;
  readonly address: TcpEndpoint;
}

/** @param signal ends the start, or what was started @param stops what gives all of it back */
export async function startServing(
  acraProgram: AcraProgram,
  signal: AbortSignal,
  stops: AsyncDisposableStack,
): Promise<Serving> {
  const root = mkdtempSync(join(tmpdir(), 'ab-'));
  stops.defer(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));
  const stack = await Stack.prepare({ root, acraProgram, signal });
  stops.defer(() => stack.stop());
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  return { stack, address: await stack.enclave.untilServing(signal) };
}
