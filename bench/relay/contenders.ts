/** What is compared: each contender listens on two ports and relays them to the sink and to the echo. */

import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../../emulator/free-port.ts';
import { startProgram, startScript } from './program.ts';

export interface Contender {
  readonly name: string;
  readonly bulkPort: number;
  readonly pingPort: number;
  /** CPU time so far, in milliseconds. */
  cpuMs(): number;
  stop(): Promise<void>;
}

function findOnPath(program: string): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function untilListening(port: number): Promise<void> {
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function startOurs(name: string, script: string, targets: readonly string[]): Promise<Contender> {
  const program = startScript(script, ...targets);
  const bulkPort = Number(await program.line());
  const pingPort = Number(await program.line());
  return { name, bulkPort, pingPort, cpuMs: () => program.cpuMs(), stop: () => program.stop() };
}

async function startSocat(path: string, targets: readonly string[]): Promise<Contender> {
  const ports = [await freePort(), await freePort()];
  const programs = ports.map((port, index) =>
    startProgram(path, [
      '-b',
      '262144',
      `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,nodelay`,
      `TCP:127.0.0.1:${targets[index]},nodelay`,
    ]),
  );
  for (const port of ports) await untilListening(port);
  return {
    name: 'socat (256 KiB buffer)',
    bulkPort: ports[0] ?? 0,
    pingPort: ports[1] ?? 0,
    cpuMs: () => programs.reduce((sum, program) => sum + program.cpuMs(), 0),
    stop: async () => {
      for (const program of programs) await program.stop();
    },
  };
}

async function startHaproxy(path: string, targets: readonly string[]): Promise<Contender> {
  const ports = [await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), 'ae-bench-'));
  const sections = ports.map(
    (port, i) => `listen l${i}\n  bind 127.0.0.1:${port}\n  server s 127.0.0.1:${targets[i]}\n`,
  );
  const defaults = 'defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n';
  writeFileSync(join(folder, 'haproxy.cfg'), `global\n  nbthread 1\n${defaults}${sections.join('')}`);
  const program = startProgram(path, ['-f', join(folder, 'haproxy.cfg')]);
  for (const port of ports) await untilListening(port);
  return {
    name: 'HAProxy (1 thread)',
    bulkPort: ports[0] ?? 0,
    pingPort: ports[1] ?? 0,
    cpuMs: () => program.cpuMs(),
    stop: async () => {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @param targets ports of the sink and of the echo. */
export async function startContenders(
  targets: readonly [sink: string, echo: string],
  stack: AsyncDisposableStack,
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  const add = async (contender: Promise<Contender>) => {
    const started = await contender;
    stack.defer(() => started.stop());
    contenders.push(started);
  };
  const ports = { bulkPort: Number(targets[0]), pingPort: Number(targets[1]) };
  contenders.push({ name: 'direct', ...ports, cpuMs: () => 0, stop: async () => undefined });
  await add(startOurs('acra-enclave relay', 'relay-under-test.ts', targets));
  await add(startOurs('Node pipe', 'node-pipe.ts', targets));
  const socat = findOnPath('socat');
  const haproxy = findOnPath('haproxy');
  if (socat !== undefined) await add(startSocat(socat, targets));
  if (haproxy !== undefined) await add(startHaproxy(haproxy, targets));
  return contenders;
}
