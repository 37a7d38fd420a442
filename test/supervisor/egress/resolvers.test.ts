/** Programs as they are, without a proxy: the resolvers of the C library and of what builds on it find names in the DNS inside, and reach them. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { LOOPBACK, startEnds } from './support/both-ends.ts';

const run = promisify(execFile);
const part = process.pid % 200;
/** Of this process alone, so that nobody else's port 53 is met. */
const dns = { kind: 'tcp', host: `127.53.${part}.1`, port: 53 } as const;
const network = `127.${64 + (process.pid % 64)}.${(process.pid >> 6) % 256}.0/24`;

/** resolv.conf(5) cannot be named otherwise: a mount namespace has one of its own, for which one must be root. */
const canMount = await run('unshare', ['--mount', 'mount', '--bind', '/etc/hosts', '/etc/resolv.conf']).then(
  () => true,
  () => false,
);
const isThere = (program: string) =>
  run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );

async function machine(t: { teardown(fn: () => unknown): void }) {
  const server = createServer((asked, response) => response.end(`${asked.url} of ${asked.headers.host}`));
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const enclave = { allow: [`web.example:${port}`, LOOPBACK], transparent: { network, dns } };
  const ends = await startEnds(t, { enclave, names: { 'web.example': ['127.0.0.1'] } });
  const resolvConf = join(temporaryFolder(t), 'resolv.conf');
  writeFileSync(resolvConf, ends.enclave.resolvConf ?? '');
  const inside = async (...command: readonly string[]): Promise<string> => {
    const mounted = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
    const { stdout } = await run('unshare', ['--mount', 'sh', '-c', mounted, resolvConf, ...command]);
    return stdout;
  };
  return { inside, port, url: `http://web.example:${port}/x` };
}

const skip = !canMount && 'not root, or no mount namespaces';

t.test('lets getent find an allowed name, and no other', { skip }, async (t) => {
  const { inside } = await machine(t);
  t.match(await inside('getent', 'ahosts', 'web.example'), new RegExp(`^${network.replace(/0\/24$/, '1')} `));
  await t.rejects(inside('getent', 'ahosts', 'other.example'), { code: 2 });
});

for (const [program, ...command] of [
  ['curl', '-sS', '--max-time', '10', '--noproxy', '*'],
  [
    'python3',
    '-c',
    'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode(), end="")',
  ],
  [
    process.execPath,
    '-e',
    'fetch(process.argv[1]).then((answer) => answer.text()).then((text) => process.stdout.write(text))',
  ],
] as const) {
  const missing = skip || (!(await isThere(program)) && `there is no ${program}`);
  t.test(`lets ${program.split('/').at(-1)} reach it`, { skip: missing }, async (t) => {
    const { inside, port, url } = await machine(t);
    t.equal(await inside(program, ...command, url), `/x of web.example:${port}`);
  });
}
