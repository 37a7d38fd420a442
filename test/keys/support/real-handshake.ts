/**
 * Handshakes of clients with the real acra-server. The database offers TLS and notes whether acra-server goes on to greet it,
 * which it does only for a client that it has let in.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { acraServerArguments } from '../../../acra/server/command-line.ts';
import { acraServerEnvironment, IN_LINE, MASTER_KEY_VARIABLE } from '../../../acra/server/environment.ts';
import { SSL_REQUEST } from '../../../postgres/start-up.ts';
import { atRest, masterKeyBytes, writeKeystore } from '../../acra/support/at-rest.ts';
import { realAcraServer } from '../../acra/support/real-acra-server.ts';
import type { Made } from './certificate-maker.ts';

export interface AcraFiles {
  /** An empty folder. */
  readonly folder: string;
  readonly clientCaPem: string;
  readonly server: Pick<Made, 'pem' | 'keyPem'>;
}

export interface RunningAcra {
  /** Whether a client with this certificate, and whatever else is in its file, is let in. */
  letsIn(client: Pick<Made, 'pem' | 'keyPem'>): Promise<boolean>;
  stop(): Promise<void>;
}

const HANDSHAKE = 0x16;

class Database {
  readonly #server: Server;
  readonly #waiting: ((isGreeted: boolean) => void)[] = [];

  constructor() {
    this.#server = createServer((socket) => serve(socket, this.#waiting.shift()));
  }

  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whether TLS begins on the next connection that comes. */
  next(): Promise<boolean> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async stop(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function serve(socket: Socket, tell: (isGreeted: boolean) => void = () => undefined): void {
  socket.on('error', () => undefined);
  socket.on('close', () => tell(false));
  socket.on('data', (bytes) => {
    if (bytes[0] !== HANDSHAKE) {
      socket.write('S');
      return;
    }
    tell(true);
    socket.destroy();
  });
}

function launch({ folder, clientCaPem, server }: AcraFiles, path: string, port: number): ChildProcess {
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const args = acraServerArguments({
    listen: { kind: 'unix', path },
    database: { host: '127.0.0.1', port, serverName: 'db.test' },
    keysFolder: writeKeystore(folder),
    encryptorConfigFile: write('encryptor.yaml', atRest.encryptorConfig),
    tls: {
      clientCaFile: write('ca.pem', clientCaPem),
      serverCertFile: write('server.pem', server.pem),
      serverKeyFile: write('server.key', server.keyPem),
      databaseCaFile: write('database-ca.pem', server.pem),
    },
    clientId: { from: 'distinguished_name' },
    poisonDetection: true,
  });
  const key = masterKeyBytes().toString('base64');
  const env = { ...acraServerEnvironment(256, IN_LINE), [MASTER_KEY_VARIABLE]: key };
  return spawn(realAcraServer, args, { cwd: folder, env, stdio: 'ignore' });
}

/** Undefined when acra-server has ended instead. */
async function dial(path: string, acra: ChildProcess): Promise<Socket | undefined> {
  while (acra.exitCode === null) {
    const socket = createConnection({ path });
    const isOpen = new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (await isOpen) return socket;
    await turn();
  }
  return undefined;
}

/** @returns undefined when acra-server does not start with these files. */
export async function startRealAcra(files: AcraFiles): Promise<RunningAcra | undefined> {
  const database = new Database();
  const path = join(files.folder, 'acra.sock');
  const acra = launch(files, path, await database.start());
  const ended = once(acra, 'close');
  const stop = async () => {
    acra.kill('SIGKILL');
    await ended;
    await database.stop();
  };
  const probed = database.next();
  const first = await dial(path, acra);
  first?.destroy();
  if (first !== undefined) await probed;
  else {
    await stop();
    return undefined;
  }
  return {
    stop,
    async letsIn({ pem, keyPem }) {
      const greeted = database.next();
      const socket = await dial(path, acra);
      if (socket === undefined) return false;
      socket.write(SSL_REQUEST);
      await Promise.race([once(socket, 'data'), once(socket, 'close')]);
      const tls = connectTls({
        socket,
        cert: pem,
        key: keyPem,
        rejectUnauthorized: false,
        ciphers: 'DEFAULT@SECLEVEL=0',
      });
      tls.on('error', () => undefined);
      const result = await greeted;
      socket.destroy();
      return result;
    },
  };
}
