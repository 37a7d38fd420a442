/** What each measurement has for itself, so that nothing that one leaves behind is the next one's: a folder, peers, a relay. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startScript } from '../program.ts';
import type { Contender, Peers, RelayKind } from './relays/contender.ts';
import { TRANSPORTS, type Transport } from './transports.ts';

async function startPeers(transport: Transport, folder: string, stack: AsyncDisposableStack): Promise<Peers> {
  const start = async (file: string, ...args: string[]) => {
    const isTcp = TRANSPORTS[transport].connect === 'tcp';
    const endpoint = isTcp ? 'tcp://127.0.0.1:0' : `unix://${folder}/peer-${args[0] ?? 'echo'}`;
    const program = startScript(file, ...args, endpoint);
    stack.defer(() => program.stop());
    return program.line();
  };
  return { bulk: await start('relay/loads/bulk.ts', 'peer'), echo: await start('relay/loads/echo.ts') };
}

/** @param stack what gives all of it back */
export async function startOn(kind: RelayKind, transport: Transport, stack: AsyncDisposableStack): Promise<Contender> {
  const folder = mkdtempSync(join(tmpdir(), 'ae-bench-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const contender = await kind.start({ transport, folder, peers: await startPeers(transport, folder, stack) });
  for (const program of [...(contender.others ?? []), ...contender.programs]) stack.defer(() => program.stop());
  return contender;
}
