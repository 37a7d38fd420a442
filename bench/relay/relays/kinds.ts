/**
 * The relays that are compared, each a program of its own that listens at two endpoints. Each is set as its documents say for plain streams,
 * with one thread or process where it has a choice, since ours has one.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENDPOINTS, type Ground, installed, type Peers, type RelayKind, script } from './contender.ts';
import { ENCLAVER, VSOCK_PROXY } from './vsock-peers.ts';

function configuration(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
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
  return ENDPOINTS.map((each) => ['-lf', '/dev/null', '-b', '262144', listen(own[each]), target(peers[each])]);
}

function haproxyArguments(own: Peers, { peers, folder }: Ground): string[][] {
  const listen = (each: keyof Peers) =>
    `listen ${each}\n  bind ${place(own[each], 'unix@')} backlog 4096\n  server s ${place(peers[each], 'unix@')}\n`;
  const defaults = 'defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 600s\n  timeout server 600s\n';
  const file = configuration(
    folder,
    'haproxy.cfg',
    `global\n  nbthread 1\n${defaults}${listen('bulk')}${listen('echo')}`,
  );
  return [['-f', file]];
}

/** Where Debian's `libnginx-mod-stream` puts it. */
const NGINX_STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so';

function nginxArguments(own: Peers, { peers, folder }: Ground): string[][] {
  const server = (each: keyof Peers) =>
    `  server { listen ${place(own[each], 'unix:')} backlog=4096; proxy_pass ${place(peers[each], 'unix:')}; proxy_timeout 600s; tcp_nodelay on; }\n`;
  const file = configuration(
    folder,
    'nginx.conf',
    `load_module ${NGINX_STREAM};\ndaemon off;\nmaster_process off;\npid ${folder}/nginx.pid;\n` +
      `error_log stderr crit;\nevents { worker_connections 65536; }\nstream {\n${server('bulk')}${server('echo')}}\n`,
  );
  return [['-p', folder, '-e', join(folder, 'error.log'), '-c', file]];
}

export const OURS = 'acra-enclave relay';

/** A process for each connection: no machine of ours has 1,000 times its memory. */
const MAX_FORKS = 64;

function nginx(): RelayKind {
  const kind = installed('nginx stream', 'nginx', nginxArguments);
  const missing = () => kind.missing() ?? (existsSync(NGINX_STREAM) ? undefined : `there is no ${NGINX_STREAM}`);
  return { ...kind, missing };
}

/** The load itself, without any relay. */
export const NONE = 'none';

export const RELAYS: readonly RelayKind[] = [
  {
    name: NONE,
    missing: () => undefined,
    start: async ({ peers }) => ({ name: NONE, ...peers, programs: [] }),
  },
  script(OURS, 'ours.ts'),
  installed('HAProxy', 'haproxy', haproxyArguments),
  nginx(),
  installed('socat', 'socat', socatArguments, { maxConnections: MAX_FORKS }),
  script('Node streams', 'node-streams.ts'),
  VSOCK_PROXY,
  ENCLAVER,
];
