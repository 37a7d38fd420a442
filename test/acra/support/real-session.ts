/** Sessions through the real acra-server (real-acra-server.ts), as far as the database's side of TLS: whether a start-up packet arrives there. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { acraServerArguments } from '../../../acra/server/command-line.ts';
import { acraServerEnvironment, IN_LINE, MASTER_KEY_VARIABLE } from '../../../acra/server/environment.ts';
import { LOG_CODES } from '../../../acra/server/log-codes.ts';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { SSL_REQUEST } from '../../../postgres/start-up.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { atRest, masterKeyBytes, writeKeystore } from './at-rest.ts';
import { realAcraServer } from './real-acra-server.ts';

const applications = await createAuthority({ commonName: 'applications', clock: systemClock });
const server = await applications.issue({ commonName: 'acra', subjectAltNames: ['acra.internal'], kind: 'server' });
const client = await applications.issue({ commonName: 'client', kind: 'client' });
/** Int32 length, Int32 version 3.0, user, end. */
const STARTUP = Buffer.from('\0\0\0\x0f\0\x03\0\0user\0a\0\0', 'latin1');
STARTUP.writeUInt32BE(STARTUP.length);

export interface DatabaseLeg {
  /** An empty folder. */
  readonly folder: string;
  readonly database: TcpEndpoint;
  readonly serverName: string;
  readonly caPem: string;
}

/** One session, which sends its start-up packet as soon as it may. @returns the text of what acra-server then complains of, if anything */
export async function sessionThroughRealAcra(leg: DatabaseLeg): Promise<string | undefined> {
  const path = join(leg.folder, 'acra.sock');
  const acra = launch(leg, path);
  const log: string[] = [];
  acra.stderr?.on('data', (chunk) => log.push(String(chunk)));
  try {
    await session(await listening(path, acra));
  } finally {
    acra.kill('SIGKILL');
    await once(acra, 'close');
  }
  const records = log
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('{'));
  const complaint = records.map((line) => JSON.parse(line)).find(({ code }) => code === LOG_CODES.tlsNotInitialized);
  return complaint === undefined ? undefined : String(complaint.error);
}

function launch({ folder, database, serverName, caPem }: DatabaseLeg, path: string): ChildProcess {
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const args = acraServerArguments({
    listen: { kind: 'unix', path },
    database: { ...database, serverName },
    keysFolder: writeKeystore(folder),
    encryptorConfigFile: write('encryptor.yaml', atRest.encryptorConfig),
    tls: {
      clientCaFile: write('ca.pem', applications.certificatePem),
      serverCertFile: write('server.pem', server.certificatePem),
      serverKeyFile: write('server.key', server.privateKeyPem),
      databaseCaFile: write('database-ca.pem', caPem),
    },
    clientId: { from: 'distinguished_name' },
    poisonDetection: true,
  });
  const key = masterKeyBytes().toString('base64');
  const env = { ...acraServerEnvironment(256, IN_LINE), [MASTER_KEY_VARIABLE]: key };
  return spawn(realAcraServer, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
}

async function listening(path: string, acra: ChildProcess): Promise<Socket> {
  while (acra.exitCode === null) {
    const socket = createConnection({ path });
    const isOpen = new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (await isOpen) return socket;
    await turn();
  }
  throw new Error(`acra-server ended with ${acra.exitCode}`);
}

/** Ends when the database or acra-server ends it. */
async function session(socket: Socket): Promise<void> {
  socket.write(SSL_REQUEST);
  await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  const credentials = { ca: applications.certificatePem, cert: client.certificatePem, key: client.privateKeyPem };
  const tls = connectTls({ socket, ...credentials, servername: 'acra.internal' });
  tls.on('error', () => undefined);
  tls.once('secureConnect', () => tls.write(STARTUP));
  tls.resume();
  await new Promise((resolve) => tls.once('close', resolve));
}
