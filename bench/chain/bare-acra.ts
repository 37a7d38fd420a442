/** acra-server alone, as it would run without an enclave: same keys, same configuration, TLS on both legs, no relay. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import type { Stack } from '../../cli/demo/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilListening(port: number): Promise<void> {
  for (;;) {
    const socket = createConnection({ host: '127.0.0.1', port });
    const connected = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Copies the command line of the acra-server that runs in the stack, with other addresses. */
export async function startBareAcra(
  stack: Stack,
  enclavePid: number,
): Promise<{ address: TcpEndpoint; pid: number; stop: () => Promise<void> }> {
  const { postgres, certificates } = stack.parts;
  const keyFile = join(stack.options.root, 'bare-server.key');
  writeFileSync(keyFile, certificates.server.privateKeyPem, { mode: 0o600 });
  const port = await freePort();
  const replaced: Record<string, string> = {
    incoming_connection_string: `tcp://127.0.0.1:${port}`,
    db_host: postgres.host,
    db_port: String(postgres.port),
    tls_client_key: keyFile,
  };
  const read = (file: string) => readFileSync(`/proc/${enclavePid}/${file}`, 'utf8').split('\0').slice(0, -1);
  const [program = '', ...flags] = read('cmdline').map((flag) => {
    const name = /^--(\w+)=/.exec(flag)?.[1] ?? '';
    return Object.hasOwn(replaced, name) ? `--${name}=${replaced[name]}` : flag;
  });
  const environment = Object.fromEntries(
    read('environ').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const child = spawn(program, flags, { env: environment, stdio: 'ignore' });
  await untilListening(port);
  return {
    address: { kind: 'tcp', host: '127.0.0.1', port },
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
