/**
 * The duty of PID 1: whoever loses its parent becomes our child, and stays a zombie until we take its exit. Children that
 * Node started are Node's to wait for (their exit would be lost), so those are left alone.
 * Specification: waitpid(2), "NOTES"; proc(5), /proc/pid/stat.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Logger } from '../../runtime/log.ts';
import type { Service } from '../../runtime/service.ts';
import { reap } from '../../system/libc/machine-calls.ts';
import { isOwnChild } from '../../system/processes/own-children.ts';

interface ProcessState {
  readonly state: string;
  readonly parent: number;
}

/** `12 (name, which may hold spaces and brackets) Z 1 …` */
function readState(pid: number): ProcessState | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const end = stat.lastIndexOf(')');
    const [state = '', parent = ''] = stat.slice(end + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function processes(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

export class OrphanReaper implements Service {
  readonly #logger: Logger;
  readonly #onSignal = () => this.reapAll();
  #reaped = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get reaped(): number {
    return this.#reaped;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    process.on('SIGCHLD', this.#onSignal);
    this.reapAll();
  }

  async stop(): Promise<void> {
    process.off('SIGCHLD', this.#onSignal);
  }

  /** One signal may stand for many children, so all are looked at. */
  reapAll(): void {
    for (const pid of processes()) {
      const found = readState(pid);
      if (found?.state !== 'Z' || found.parent !== process.pid || isOwnChild(pid) || !reap(pid)) continue;
      this.#reaped += 1;
      this.#logger.log('debug', 'machine.orphan-reaped', { pid });
    }
  }
}
