/** acra-server alone, as it would run without an enclave: same keys, same configuration, TLS on both legs, no relay. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { acraServerArguments } from '../../acra/server/command-line.ts';
import { MASTER_KEY_VARIABLE } from '../../acra/server/environment.ts';
import { DATABASE_NAME } from '../../cli/demo/certificates.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { freePort } from '../../emulator/free-port.ts';
import { environmentVariable } from '../../test/support/processes.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';

const LOOPBACK = '127.0.0.1';

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

/**
 * As it is shipped: nothing of how the enclave runs it but the master key, which the one in the enclave has.
 * @param enclavePid of any acra-server of the stack
 */
export async function startBareAcra(
  stack: Stack,
  enclavePid: number,
): Promise<{ address: TcpEndpoint; pid: number; stop: () => Promise<void> }> {
  const { options, parts, enclaveFolder } = stack;
  const { postgres, certificates, clientFiles } = parts;
  const keep = (name: string, pem: string) => {
    const file = join(options.root, name);
    writeFileSync(file, pem, { mode: 0o600 });
    return file;
  };
  const port = await freePort();
  const args = acraServerArguments({
    listen: { kind: 'tcp', host: LOOPBACK, port },
    database: { host: postgres.host, port: postgres.port, serverName: DATABASE_NAME },
    keysFolder: join(enclaveFolder, 'keystore'),
    encryptorConfigFile: join(enclaveFolder, 'encryptor.yaml'),
    poisonDetection: true,
    tls: {
      clientCaFile: clientFiles.applicationCa,
      serverCertFile: keep('bare-server.pem', certificates.server.certificatePem),
      serverKeyFile: keep('bare-server.key', certificates.server.privateKeyPem),
      databaseCaFile: clientFiles.databaseCa,
    },
    clientId: { from: 'distinguished_name' },
  });
  const { program, leadingArguments } = options.acraProgram;
  const masterKey = environmentVariable(enclavePid, MASTER_KEY_VARIABLE) ?? '';
  const child = spawn(program, [...leadingArguments, ...args], {
    env: { [MASTER_KEY_VARIABLE]: masterKey, SSL_CERT_FILE: '/dev/null', SSL_CERT_DIR: '/nonexistent' },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await untilListening(port);
  return {
    address: { kind: 'tcp', host: LOOPBACK, port },
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
