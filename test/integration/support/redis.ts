/** A real Redis that speaks TLS only, for tests of tokens; Debian's `redis-server`, for no npm package brings one. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Test } from 'tap';
import { freePort } from '../../../emulator/free-port.ts';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const isThere = spawnSync('redis-server', ['--version']).status === 0;
/** For `skip`. */
export const withoutRedis: string | false = isThere ? false : 'no redis-server on this machine (Debian: redis-server)';

export interface RunningRedis {
  readonly port: number;
  /** Keys of its first database. */
  keys(): Promise<readonly string[]>;
  values(): Promise<readonly string[]>;
  get(key: string): Promise<string>;
  set(key: string, value: string): Promise<void>;
  stop(): Promise<void>;
  /** Again, with what it had. */
  start(): Promise<void>;
}

export async function startRedis(t: Test, certificate: IssuedCertificate, caPem: string): Promise<RunningRedis> {
  const folder = temporaryFolder(t);
  const port = await freePort();
  const files = { 'server.pem': certificate.certificatePem, 'server.key': certificate.privateKeyPem, 'ca.pem': caPem };
  for (const [name, pem] of Object.entries(files)) writeFileSync(join(folder, name), pem, { mode: 0o600 });
  const settings = {
    port: 0,
    'tls-port': port,
    'tls-cert-file': join(folder, 'server.pem'),
    'tls-key-file': join(folder, 'server.key'),
    'tls-ca-cert-file': join(folder, 'ca.pem'),
    'tls-auth-clients': 'no',
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'always',
  };
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  let child: ChildProcess | undefined;
  const command = async (...words: readonly string[]): Promise<readonly string[]> => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: caPem, checkServerIdentity: () => undefined });
    await once(socket, 'secureConnect');
    const said: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => said.push(chunk));
    socket.end(`${words.join(' ')}\r\nQUIT\r\n`);
    await once(socket, 'end');
    socket.destroy();
    return Buffer.concat(said)
      .toString()
      .split('\r\n')
      .filter((line) => /^[^$*+:-]/.test(line));
  };
  const redis: RunningRedis = {
    port,
    keys: () => command('KEYS', '*'),
    async values() {
      const keys = await command('KEYS', '*');
      return keys.length === 0 ? [] : command('MGET', ...keys);
    },
    get: async (key) => (await command('GET', key))[0] ?? '',
    async set(key, value) {
      await command('SET', key, value);
    },
    async stop() {
      if (!child || child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
    async start() {
      child = spawn('redis-server', words, { stdio: 'ignore' });
      for (let isUp = false; !isUp; )
        isUp = await command('PING').then(
          () => true,
          () => false,
        );
    },
  };
  t.teardown(() => redis.stop());
  await redis.start();
  return redis;
}
