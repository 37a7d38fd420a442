/** Room for descriptors: a relay holds two a connection. prlimit(1) of util-linux raises the limit where that is allowed; what this process starts has it too. */
import { execFileSync, spawnSync } from 'node:child_process';

const OTHER_DESCRIPTORS = 100;

function hardLimit(): number {
  const text = execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}

/** @returns how many connections a relay can have, wanted or fewer */
export function makeRoom(connections: number): number {
  const wanted = 2 * connections + OTHER_DESCRIPTORS;
  // Node has raised its own soft limit to the hard one.
  if (hardLimit() < wanted) spawnSync('prlimit', ['--pid', String(process.pid), `--nofile=${wanted}:${wanted}`]);
  return Math.min(connections, Math.floor((hardLimit() - OTHER_DESCRIPTORS) / 2));
}
