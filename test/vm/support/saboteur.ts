/**
 * Somebody inside an enclave who breaks things when told to from outside: one JSON request a line on a vsock port of its own, one
 * answer back. For tests of faults that cannot be made from outside an enclave.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { Relay } from '../../../relay/relay.ts';
import { silentLogger } from '../../../runtime/log.ts';
import type { Platform } from '../../../supervisor/platform.ts';
import { toVsockPort } from '../../../wire/brands.ts';
import { ACRA_SERVER_ID } from '../../../wire/image-layout.ts';
import type { SabotageAnswer, SabotageRequest } from './sabotage.ts';
import { PANIC, SABOTAGE_PORT } from './sabotage.ts';

const SOCKET = '/run/saboteur.sock';
const LIMITS = {
  maxConnections: 16,
  maxPending: 16,
  connectTimeoutMs: 5_000,
  prefaceTimeoutMs: 5_000,
  idleTimeoutMs: 600_000,
};

function status(pid: number): Readonly<Record<string, string>> {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
    return Object.fromEntries(lines.map((line) => line.split(':\t', 2).map((part) => part.trim())));
  } catch {
    return {};
  }
}

const processIds = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
/** Each acra-server has a user of its own; the first has the one that owns the keystore in the image. */
const acraPid = (uid = ACRA_SERVER_ID) => processIds().find((pid) => status(pid)['Uid']?.startsWith(`${uid}\t`));

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    return String(error);
  }
}

function stats(): SabotageAnswer {
  const all = processIds().map(status);
  const acra = acraPid();
  return {
    zombies: all.filter((each) => each['State']?.startsWith('Z')).length,
    acra:
      acra === undefined
        ? null
        : { pid: acra, ...status(acra), cgroup: read(`/proc/${acra}/cgroup`), limits: read(`/proc/${acra}/limits`) },
    mounts: read('/proc/mounts'),
    interfaces: readdirSync('/sys/class/net').join(' '),
    memoryMax: read('/sys/fs/cgroup/acra-server/memory.max'),
    pidsMax: read('/sys/fs/cgroup/acra-server/pids.max'),
    ptraceScope: read('/proc/sys/kernel/yama/ptrace_scope'),
    hostName: read('/proc/sys/kernel/hostname'),
  };
}

/** Run by Node as the user: tries each socket, and each process's environment. */
const REACH = `
const net = require('node:net'), fs = require('node:fs');
const { paths, pids } = JSON.parse(process.argv[1]);
const dial = (options) => new Promise((resolve) => {
  const socket = net.connect(options, () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});
(async () => {
  const sockets = [];
  for (const path of paths) if (await dial({ path })) sockets.push(path);
  const environments = pids.filter((pid) => { try { fs.readFileSync('/proc/' + pid + '/environ'); return pid !== process.pid; } catch { return false; } });
  console.log(JSON.stringify({ sockets, environments }));
})();`;

/** Of every unix socket that listens. */
function listeningPaths(): string[] {
  const LISTENS = '00010000';
  return read('/proc/net/unix')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , flags, , , , path]) => flags === LISTENS && path?.startsWith('/'))
    .map(([, , , , , , , path = '']) => path);
}

function reach(uid: number): SabotageAnswer {
  const subject = JSON.stringify({ paths: listeningPaths(), pids: processIds() });
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', REACH, subject], {
    uid,
    gid: uid,
    cwd: '/',
    env: {},
    encoding: 'utf8',
  });
  try {
    return { ...(JSON.parse(stdout) as SabotageAnswer), paths: listeningPaths() };
  } catch {
    return { failed: `${stdout} ${stderr}` };
  }
}

function obey(request: SabotageRequest): SabotageAnswer {
  switch (request.do) {
    case 'reach':
      return reach(request.uid);
    case 'stats':
      return stats();
    case 'signal-acra': {
      const pid = acraPid(request.uid);
      if (pid !== undefined) process.kill(pid, request.signal);
      return { pid: pid ?? null };
    }
    case 'panic':
      setImmediate(() => {
        throw new Error(PANIC);
      });
      return {};
  }
}

async function listen(platform: Platform): Promise<void> {
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).on('line', (line) => {
      socket.write(`${JSON.stringify(obey(JSON.parse(line) as SabotageRequest))}\n`);
    });
  }).listen({ path: SOCKET });
  const relay = new Relay({ logger: silentLogger });
  await relay.start(new AbortController().signal);
  await relay.addRoute({
    label: 'saboteur',
    listen: platform.enclavePort(toVsockPort(SABOTAGE_PORT)),
    connect: { kind: 'unix', path: SOCKET },
    preface: { kind: 'none' },
    limits: LIMITS,
  });
}

/** The platform, with the saboteur in it as soon as its machine is prepared. */
export function sabotaged(platform: Platform): Platform {
  return {
    ...platform,
    async prepareMachine(logger) {
      const machine = await platform.prepareMachine(logger);
      await listen(platform);
      return machine;
    },
  };
}
