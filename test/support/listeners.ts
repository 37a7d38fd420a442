/** Which sockets a process listens on, read from /proc: TCP ports of both families, and unix socket paths. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** State LISTEN in /proc/net/tcp (include/net/tcp_states.h). */
const TCP_LISTEN = '0A';
/** __SO_ACCEPTCON in the flags of /proc/net/unix. */
const UNIX_LISTENING = 0x10000;

function inodesOf(pid: number): Set<string> {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

const rows = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));

/** `tcp:PORT` and `unix:PATH`, sorted. */
export function listenersOf(pid: number): string[] {
  const inodes = inodesOf(pid);
  const tcp = ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap(rows)
    .filter((row) => row[3] === TCP_LISTEN && inodes.has(row[9] ?? ''))
    .map((row) => `tcp:${Number.parseInt(row[1]?.split(':')[1] ?? '', 16)}`);
  const unix = rows('/proc/net/unix')
    .filter((row) => (Number.parseInt(row[3] ?? '0', 16) & UNIX_LISTENING) !== 0 && inodes.has(row[6] ?? ''))
    .map((row) => `unix:${row[7]}`);
  return [...tcp, ...unix].sort();
}
