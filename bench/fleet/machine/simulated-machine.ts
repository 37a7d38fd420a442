/**
 * In the place of QEMU: the machine of one simulated enclave. What `acra-enclave run` takes for an image says where the enclave's folders are
 * (`Machine`); it gets the boot heartbeat as an image's init would send it, and ends as the supervisor does. Nothing of the enclave outlives it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { fileURLToPath } from 'node:url';
import { HEARTBEAT_PORT } from '../../../wire/routes.ts';

export interface Machine {
  readonly enclaveFolder: string;
  readonly stateFolder: string;
  readonly vsockPath: string;
}

const HEARTBEAT = Buffer.from([0xb7]);
const COMMAND = fileURLToPath(new URL('../../../bin/acra-enclave', import.meta.url));

async function beat(vsockPath: string): Promise<void> {
  const socket = createConnection(`${vsockPath}_${HEARTBEAT_PORT}`);
  socket.write(HEARTBEAT);
  await once(socket, 'data');
  socket.destroy();
}

const words = process.argv.slice(2);
const image = words[words.indexOf('-kernel') + 1] ?? '';
const { enclaveFolder, stateFolder, vsockPath }: Machine = JSON.parse(readFileSync(image, 'utf8'));
await beat(vsockPath);
const supervisor = ['supervisor', '--enclave', enclaveFolder, '--simulated', stateFolder];
const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', COMMAND, ...supervisor], { stdio: 'inherit' });
process.once('SIGTERM', () => child.kill('SIGTERM'));
const [code] = await once(child, 'exit');
process.exitCode = code ?? 1;
