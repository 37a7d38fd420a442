/** A real PostgreSQL 18, a keystore for two of three clients, and any number of acra-servers before it: stand-in or real. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { clientIdFromCertificate } from '../../../../acra/client-id.ts';
import { encodeAcraBlock, encodeContainer } from '../../../../acra/container.ts';
import { createKeystore } from '../../../../acra/keystore/create.ts';
import { themis } from '../../../../acra/keystore/themis.ts';
import type { ProgramCommand } from '../../../../acra/obtain/program.ts';
import { acraServerArguments } from '../../../../acra/server/command-line.ts';
import { acraServerEnvironment, IN_LINE, MASTER_KEY_VARIABLE } from '../../../../acra/server/environment.ts';
import { STAND_IN_COMMAND } from '../../../../emulator/acra-server/command.ts';
import { Keyring } from '../../../../emulator/acra-server/keyring.ts';
import { type Authority, createAuthority, type IssuedCertificate } from '../../../../emulator/pki/authority.ts';
import { type RunningPostgres, startPostgres } from '../../../../emulator/postgres/server.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { DATABASE_TEMPLATES } from '../../../support/database-templates.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { untilChanged } from '../../../support/watched-files.ts';

export const MASTER_KEY = Buffer.alloc(32, 'm');
const DATABASE_USER = { name: 'app', password: 'secret' };
export const ENCRYPTOR_CONFIG = `
schemas:
  - table: person
    columns: [id, email, secret, blob, note]
    encrypted:
      - column: email
        searchable: true
        data_type: str
      - column: secret
        data_type: str
      - column: blob
        data_type: bytes
`;

export interface AcraOptions {
  readonly command?: ProgramCommand;
  readonly masterKey?: Buffer | string;
  readonly databasePort?: number;
  readonly databaseName?: string;
  readonly poisonDetection?: boolean;
  /** Appended; the last of several equal flags counts. */
  readonly moreArguments?: readonly string[];
}

export interface AcraProcess {
  readonly child: ChildProcess;
  /** On 127.0.0.1; leads to its unix socket. */
  readonly port: number;
  /** All of its log so far. */
  log(): string;
  /** Exit code or signal, once it has ended. */
  readonly ended: Promise<number | string>;
}

type Teardown = { teardown(run: () => void | Promise<void>): void };

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A listener on a free port that leads to the unix socket, so that every program may listen on the same kind of address. */
async function forward(t: Teardown, path: string): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(path);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(
        one
          .setNoDelay()
          .on('error', () => other.destroy())
          .once('close', () => other.destroy()),
      );
      one.pipe(other);
    }
  });
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listen(server);
}

function canConnect(path: string): Promise<boolean> {
  const socket = connect(path);
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

export class Rig {
  readonly clients = new Map<string, IssuedCertificate>();
  readonly #folder: string;
  readonly #t: Teardown;
  #authority: Authority | undefined;
  #postgres: RunningPostgres | undefined;
  #count = 0;

  constructor(t: Teardown) {
    this.#t = t;
    this.#folder = temporaryFolder(t);
  }

  get authority(): Authority {
    if (!this.#authority) throw new Error('not started');
    return this.#authority;
  }

  get postgres(): RunningPostgres {
    if (!this.#postgres) throw new Error('not started');
    return this.#postgres;
  }

  async start(): Promise<void> {
    const signal = AbortSignal.timeout(60_000);
    this.#authority = await createAuthority({ commonName: 'Test CA', clock: systemClock });
    const issued = await this.authority.issue({ commonName: 'db', subjectAltNames: ['db.test'], kind: 'server' });
    const tls = { certPem: issued.certificatePem, keyPem: issued.privateKeyPem };
    const folder = this.#path('postgres');
    this.#postgres = await startPostgres({
      folder,
      tls,
      users: [DATABASE_USER],
      database: 'shop',
      durable: false,
      templates: DATABASE_TEMPLATES,
      signal,
    });
    this.#t.teardown(() => this.#postgres?.stop());
    for (const name of ['alice', 'bob', 'mallory']) {
      this.clients.set(name, await this.authority.issue({ commonName: name, kind: 'client' }));
    }
    await createKeystore({
      folder: this.#path('keys'),
      masterKey: SecretBuffer.take(Buffer.from(MASTER_KEY)),
      clientIds: ['alice', 'bob'].map((name) => this.clientId(name)),
      random: systemRandom,
    });
    const server = await this.authority.issue({ commonName: 'acra', subjectAltNames: ['acra.test'], kind: 'server' });
    writeFileSync(this.#path('ca.pem'), this.authority.certificatePem);
    writeFileSync(this.#path('server.pem'), server.certificatePem);
    writeFileSync(this.#path('server.key'), server.privateKeyPem);
    writeFileSync(this.#path('encryptor.yaml'), ENCRYPTOR_CONFIG);
    await this.direct((database) =>
      database.query('CREATE TABLE person (id int PRIMARY KEY, email bytea, secret bytea, blob bytea, note text)'),
    );
  }

  masterKey(): SecretBuffer {
    return SecretBuffer.take(Buffer.from(MASTER_KEY));
  }

  get keysFolder(): string {
    return this.#path('keys');
  }

  clientId(name: string): string {
    return clientIdFromCertificate(this.clients.get(name)?.certificatePem ?? '', 'distinguished_name');
  }

  /** Starts a program with the supervisor's own arguments; does not wait until it listens. */
  launch(options: AcraOptions = {}): Omit<AcraProcess, 'port'> & { readonly path: string } {
    const path = this.#path(`acra${this.#count++}.sock`);
    const flags = acraServerArguments({
      listen: { kind: 'unix', path },
      database: {
        host: '127.0.0.1',
        port: options.databasePort ?? this.postgres.port,
        serverName: options.databaseName ?? 'db.test',
      },
      keysFolder: this.keysFolder,
      encryptorConfigFile: this.#path('encryptor.yaml'),
      tls: {
        clientCaFile: this.#path('ca.pem'),
        serverCertFile: this.#path('server.pem'),
        serverKeyFile: this.#path('server.key'),
        databaseCaFile: this.#path('ca.pem'),
      },
      clientId: { from: 'distinguished_name' },
      poisonDetection: options.poisonDetection ?? false,
    });
    const { program, args } = options.command ?? STAND_IN_COMMAND;
    const key = options.masterKey ?? MASTER_KEY;
    const env = {
      ...acraServerEnvironment(512, IN_LINE),
      [MASTER_KEY_VARIABLE]: typeof key === 'string' ? key : key.toString('base64'),
    };
    const cwd = this.#path(`cwd${this.#count}`);
    mkdirSync(cwd);
    const child = spawn(program, [...args, ...flags, ...(options.moreArguments ?? [])], {
      cwd,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr.on('data', (chunk) => {
      log += String(chunk);
    });
    const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
    this.#t.teardown(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return { child, path, log: () => log, ended };
  }

  /** Starts a program and waits until it listens. */
  async acra(options: AcraOptions = {}): Promise<AcraProcess> {
    const { child, path, log, ended } = this.launch(options);
    await Promise.race([untilChanged(path, () => existsSync(path)), ended]);
    while (!(await canConnect(path))) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${log()}`);
    }
    return { child, log, ended, port: await forward(this.#t, path) };
  }

  async keyring(): Promise<Keyring> {
    return Keyring.load(themis, this.keysFolder, SecretBuffer.take(Buffer.from(MASTER_KEY)));
  }

  /** A container that only the keystore's poison key opens. */
  async poisonRecord(): Promise<Buffer> {
    const [key = Buffer.alloc(0)] = (await this.keyring()).keys('poison-symmetric', '');
    return encodeContainer('acrablock', encodeAcraBlock(themis, key, Buffer.from('bait'), systemRandom));
  }

  /** Settings for a client of the program. */
  config(acra: { readonly port: number }, name = 'alice'): ClientConfig {
    const { certificatePem: cert, privateKeyPem: key } = this.clients.get(name) ?? {};
    const ssl = { ca: this.authority.certificatePem, servername: 'acra.test', ...(cert && key ? { cert, key } : {}) };
    return {
      host: '127.0.0.1',
      port: acra.port,
      database: 'shop',
      user: DATABASE_USER.name,
      password: DATABASE_USER.password,
      ssl,
    };
  }

  async through<Result>(
    acra: { readonly port: number },
    use: (client: Client) => Promise<Result>,
    name?: string,
  ): Promise<Result> {
    return withClient(this.config(acra, name), use);
  }

  /** Past any acra-server. */
  async direct<Result>(use: (client: Client) => Promise<Result>): Promise<Result> {
    const ssl = { ca: this.authority.certificatePem, servername: 'db.test' };
    return withClient({ ...this.config(this.postgres), ssl }, use);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

async function withClient<Result>(config: ClientConfig, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client(config);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

export async function startRig(t: Teardown): Promise<Rig> {
  const rig = new Rig(t);
  await rig.start();
  return rig;
}
