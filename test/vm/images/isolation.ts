/**
 * Tries to reach whatever it can from inside an enclave, and prints what answered. The machine is prepared as the product
 * prepares it; the addresses that it tries stand here.
 */
import { readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { Relay } from '../../../relay/relay.ts';
import { silentLogger } from '../../../runtime/log.ts';
import { drainConsole } from '../../../supervisor/machine/console.ts';
import { enclavePlatform } from '../../../supervisor/machine/platform.ts';
import { endMachine } from '../../../system/libc/machine-calls.ts';
import type { Cid, VsockPort } from '../../../wire/brands.ts';
import { toCid, toVsockPort } from '../../../wire/brands.ts';
import { VSOCK_PORTS } from '../../../wire/routes.ts';
import { printReport } from '../../support/console-reports.ts';

const LIMITS = {
  maxConnections: 64,
  maxPending: 64,
  connectTimeoutMs: 3_000,
  prefaceTimeoutMs: 3_000,
  idleTimeoutMs: 3_000,
};

/** Not the heartbeat's: who touches that without the right byte is ended. The parent's declared ports, its usual services, and others that nobody should serve. */
const PARENT_PORTS = [
  ...Object.values(VSOCK_PORTS),
  ...[1, 22, 53, 80, 111, 443, 1024, 2375, 3128, 5433, 8000, 8080, 9464, 10_000, 15_433, 65_535, 65_536, 0x7fff_ffff],
];
/** Hypervisor, loopback, ourselves, and where sibling enclaves would be. */
const OTHER_CIDS = [0, 1, 16, 4, 5, 17, 18, 1000, 0xffff_fffe];
const SIBLING_PORTS = [VSOCK_PORTS.ingress, VSOCK_PORTS.control, VSOCK_PORTS.database];
const POLL_MS = 20;
const TCP_ADDRESSES = ['169.254.169.254:80', '10.0.0.2:53', '192.168.0.1:443', '172.17.0.1:5432', '203.0.113.1:443'];

const platform = enclavePlatform();
await platform.prepareMachine(silentLogger);
const relay = new Relay({ logger: silentLogger });
await relay.start(new AbortController().signal);

async function reaches(cid: Cid, port: VsockPort): Promise<boolean> {
  const label = `to-${cid}-${port}`;
  const path = `/run/${label}.sock`;
  await relay.addRoute({
    label,
    listen: { kind: 'unix', path },
    connect: { kind: 'vsock', cid, port },
    preface: { kind: 'none' },
    limits: LIMITS,
  });
  const socket = createConnection({ path });
  socket.on('error', () => undefined);
  const settled = () => {
    const counters = relay.counters()[label];
    return counters !== undefined && counters.opened + counters.connectFailed > 0;
  };
  while (!settled()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  socket.destroy();
  return (relay.counters()[label]?.opened ?? 0) > 0;
}

function tryTcp(address: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve) => {
    const socket = createConnection({ host, port: Number(port), timeout: 3_000 });
    const settle = (outcome: string) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => settle('connected'));
    socket.once('timeout', () => settle('timeout'));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
  });
}

const answered: string[] = [];
const parents = [3, 2];
await Promise.all(
  parents.flatMap((cid) =>
    PARENT_PORTS.map(async (port) => {
      if (await reaches(toCid(cid), toVsockPort(port))) answered.push(`${cid}:${port}`);
    }),
  ),
);
await Promise.all(
  OTHER_CIDS.flatMap((cid) =>
    SIBLING_PORTS.map(async (port) => {
      if (await reaches(toCid(cid), toVsockPort(port))) answered.push(`${cid}:${port}`);
    }),
  ),
);
const tcp = await Promise.all(TCP_ADDRESSES.map(async (address) => [address, await tryTcp(address)]));
const report = {
  answered: answered.sort(),
  tcp,
  interfaces: readdirSync('/sys/class/net'),
  tried: parents.length * PARENT_PORTS.length + OTHER_CIDS.length * SIBLING_PORTS.length,
};
printReport('ISOLATION', report);
drainConsole();
endMachine();
