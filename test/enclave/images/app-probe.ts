/**
 * A program of an application that tells what it sees of its enclave: once (`look`), or whenever it is asked over HTTP, on a port below
 * 1024. It runs in the application's own root, with nothing but Node, its libraries and koffi.
 */
import { lookup } from 'node:dns/promises';
import { existsSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import koffi from 'koffi';

const AF_VSOCK = 40;
const SOCK_STREAM = 1;
const S_IFCHR = 0o020000;
const NSM_DEVICE = 0x0a90;
const GROWTH_BYTES = 64 * 1024 * 1024;

const OURS = [
  '/acra-enclave',
  '/enclave',
  '/app',
  '/run/acra-enclave',
  '/dev/nsm',
  '/dev/vsock',
  '/dev/hwrng',
  '/sys/fs',
];

const library = koffi.load(null);
const socket = library.func('int socket(int, int, int)');
const chroot = library.func('int chroot(const char *)');
const mknod = library.func('int mknod(const char *, unsigned int, unsigned long)');
const mount = library.func('int mount(const char *, const char *, const char *, unsigned long, const char *)');

function errnoOf(result: number): number {
  return result === -1 ? koffi.errno() : 0;
}

function failureOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function statusFields(): Record<string, string> {
  const lines = readFileSync('/proc/self/status', 'utf8').split('\n');
  return Object.fromEntries(lines.map((line) => line.split(':\t') as [string, string]));
}

async function look(): Promise<object> {
  const me = process.getuid?.();
  const { NoNewPrivs, Seccomp, CapPrm, CapEff, CapBnd, Groups } = statusFields();
  return {
    root: readdirSync('/').toSorted(),
    devices: readdirSync('/dev').toSorted(),
    ours: OURS.filter((path) => existsSync(path)),
    processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid)).length,
    user: [process.getuid?.(), process.getgid?.(), Groups?.trim()],
    capabilities: [CapPrm, CapEff, CapBnd],
    restrictions: [NoNewPrivs, Seccomp],
    environment: { ...process.env },
    folder: process.cwd(),
    vsock: errnoOf(socket(AF_VSOCK, SOCK_STREAM, 0)),
    chroot: errnoOf(chroot('/tmp')),
    mknod: errnoOf(mknod('/tmp/nsm', S_IFCHR, NSM_DEVICE)),
    mount: errnoOf(mount('none', '/tmp', 'tmpfs', 0, '')),
    writes: [
      '/probe/file',
      '/etc/hosts',
      '/proc/sys/vm/overcommit_memory',
      '/dev/null',
      '/dev/stderr',
      `/tmp/${me}`,
      `/run/${me}`,
      `/dev/shm/${me}`,
    ].map((path) => [path, failureOf(() => writeFileSync(path, 'x'))]),
    temporary: statfsSync('/tmp').blocks > 0,
    named: (await lookup('db.example.org').catch(() => ({ address: 'none' }))).address,
  };
}

function fromOutside(): Promise<string> {
  return new Promise((resolve, reject) => {
    connect(5432, 'db.example.org')
      .once('error', reject)
      .once('data', (data) => resolve(String(data)));
  });
}

/** By a tunnel of the proxy that the environment names: what the target says first, or why there is none. */
function throughProxy(target: string): Promise<string> {
  const { hostname, port } = new URL(process.env['https_proxy'] ?? '');
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, method: 'CONNECT', path: target });
    asked.once('error', reject).once('connect', ({ statusCode }, socket, head) => {
      if (statusCode !== 200) resolve(String(statusCode));
      else if (head.length > 0) resolve(String(head));
      else socket.once('data', (data: Buffer) => resolve(String(data)));
    });
    asked.end();
  });
}

/** Without a proxy: the address of a name, and what becomes of a connection to it. */
async function byName(name: string): Promise<string> {
  const { address } = await lookup(name);
  const end = await new Promise<string>((resolve) => {
    connect(443, name)
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? String(error)))
      .once('data', (data) => resolve(String(data)));
  });
  return `${address} ${end}`;
}

function grow(): void {
  const kept: Buffer[] = [];
  const more = () => {
    kept.push(Buffer.alloc(GROWTH_BYTES, 1));
    setImmediate(more);
  };
  more();
}

async function answer({ url: path, headers }: IncomingMessage): Promise<string> {
  if (path === '/headers') return JSON.stringify(headers);
  if (path === '/outside') return fromOutside();
  const [, how, what = ''] = path?.split('/') ?? [];
  if (how === 'proxied') return throughProxy(what);
  if (how === 'named') return byName(what).catch((error: NodeJS.ErrnoException) => error.code ?? String(error));
  if (path === '/grow') grow();
  if (path === '/abort') process.abort();
  return JSON.stringify(await look());
}

if (process.argv[2] === 'look') console.log(JSON.stringify(await look()));
else {
  process.on('SIGTERM', () => {
    console.log('told to stop');
    process.exit(0);
  });
  createServer((asked, response) => {
    answer(asked).then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  }).listen(80, '127.0.0.1');
  // All that a client sends up to the end of a line, in hexadecimal.
  createTcpServer((socket) => {
    let all = Buffer.alloc(0);
    socket
      .on('error', () => undefined)
      .on('data', (data: Buffer) => {
        all = Buffer.concat([all, data]);
        if (all.at(-1) === 0x0a) socket.end(all.toString('hex'));
      });
  }).listen(81, '127.0.0.1');
}
