/**
 * The relays that are compared, each a program of its own that listens at two endpoints, in front of a peer of bulk and of one that echoes. Each
 * is set as its documents say for plain TCP, with one thread or process where it has a choice, since ours has one.
 */
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../../emulator/free-port.ts';
import { findProgram } from '../../../system/processes/find-program.ts';
import { parseEndpoint } from '../../../wire/endpoint.ts';
import { type Program, startProgram, startScript } from '../../program.ts';

export type Transport = 'tcp' | 'unix';

/** What stands behind a relay. */
export interface Peers {
  readonly bulk: string;
  readonly echo: string;
}

export interface Contender extends Peers {
  readonly name: string;
  readonly programs: readonly Program[];
}

/** Of one start. */
export interface Ground {
  readonly transport: Transport;
  readonly peers: Peers;
  /** For configurations and sockets; nobody else's. */
  readonly folder: string;
}

export interface RelayKind {
  readonly name: string;
  /** It takes a process for each connection. */
  readonly forks?: true;
  /** undefined where it is not installed */
  readonly start: (ground: Ground) => Promise<Contender | undefined>;
}

/** Its own two endpoints, free ones. */
async function endpointsOf({ transport, folder }: Ground): Promise<Peers> {
  if (transport === 'unix') return { bulk: `unix://${folder}/bulk`, echo: `unix://${folder}/echo` };
  return { bulk: `tcp://127.0.0.1:${await freePort()}`, echo: `tcp://127.0.0.1:${await freePort()}` };
}

async function untilListening(text: string): Promise<void> {
  const endpoint = parseEndpoint(text);
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket =
        endpoint.kind === 'unix' ? connect(endpoint.path) : connect(Number(text.split(':').at(-1)), '127.0.0.1');
      socket
        .on('error', () => resolve(false))
        .once('connect', () => {
          socket.destroy();
          resolve(true);
        });
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function script(name: string, file: string): RelayKind {
  return {
    name,
    start: async (ground) => {
      const { bulk, echo } = await endpointsOf(ground);
      const program = startScript(
        `relay/relays/${file}`,
        `${bulk}=${ground.peers.bulk}`,
        `${echo}=${ground.peers.echo}`,
      );
      return {
        name,
        bulk: await program.line(),
        echo: await program.line(),
        programs: [{ ...program, stop: program.ended }],
      };
    },
  };
}

function whereInstalled(command: string): string | undefined {
  try {
    return findProgram(command);
  } catch {
    return undefined;
  }
}

function configuration(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** @param argumentsOf each of its processes */
function installed(
  name: string,
  command: string,
  argumentsOf: (own: Peers, ground: Ground) => readonly (readonly string[])[],
  traits: Pick<RelayKind, 'forks'> = {},
): RelayKind {
  return {
    name,
    ...traits,
    start: async (ground) => {
      const path = whereInstalled(command);
      if (path === undefined) return undefined;
      const own = await endpointsOf(ground);
      const programs = argumentsOf(own, ground).map((each) => startProgram(path, each));
      for (const endpoint of [own.bulk, own.echo]) await untilListening(endpoint);
      return { name, ...own, programs };
    },
  };
}

/** `127.0.0.1:PORT`, or the path behind a word of the program's own. */
const place = (text: string, unixPrefix: string) => text.replace(/^tcp:\/\//, '').replace(/^unix:\/\//, unixPrefix);

function socatArguments(own: Peers, { peers }: Ground): string[][] {
  const listen = (text: string) =>
    text.startsWith('unix')
      ? `UNIX-LISTEN:${place(text, '')},fork,backlog=4096`
      : `TCP-LISTEN:${text.split(':').at(-1)},bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=4096`;
  const target = (text: string) =>
    text.startsWith('unix') ? `UNIX-CONNECT:${place(text, '')}` : `TCP:${place(text, '')},nodelay`;
  return (['bulk', 'echo'] as const).map((each) => [
    '-lf',
    '/dev/null',
    '-b',
    '262144',
    listen(own[each]),
    target(peers[each]),
  ]);
}

function haproxyArguments(own: Peers, { peers, folder }: Ground): string[][] {
  const listen = (each: 'bulk' | 'echo') =>
    `listen ${each}\n  bind ${place(own[each], 'unix@')} backlog 4096\n  server s ${place(peers[each], 'unix@')}\n`;
  const defaults = 'defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 600s\n  timeout server 600s\n';
  const file = configuration(
    folder,
    'haproxy.cfg',
    `global\n  nbthread 1\n${defaults}${listen('bulk')}${listen('echo')}`,
  );
  return [['-f', file]];
}

function nginxArguments(own: Peers, { peers, folder }: Ground): string[][] {
  const server = (each: 'bulk' | 'echo') =>
    `  server { listen ${place(own[each], 'unix:')} backlog=4096; proxy_pass ${place(peers[each], 'unix:')}; proxy_timeout 600s; tcp_nodelay on; }\n`;
  const file = configuration(
    folder,
    'nginx.conf',
    `load_module /usr/lib/nginx/modules/ngx_stream_module.so;\ndaemon off;\nmaster_process off;\npid ${folder}/nginx.pid;\n` +
      `error_log stderr crit;\nevents { worker_connections 65536; }\nstream {\n${server('bulk')}${server('echo')}}\n`,
  );
  return [['-p', folder, '-e', join(folder, 'error.log'), '-c', file]];
}

export const OURS = 'acra-enclave relay';

export const RELAYS: readonly RelayKind[] = [
  { name: 'none', start: async ({ peers }) => ({ name: 'none', ...peers, programs: [] }) },
  script(OURS, 'ours.ts'),
  installed('HAProxy', 'haproxy', haproxyArguments),
  installed('nginx stream', 'nginx', nginxArguments),
  installed('socat', 'socat', socatArguments, { forks: true }),
  script('Node streams', 'node-streams.ts'),
];
