/** Looks at processes from outside, through /proc. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Processes whose command line or working folder names the text; zombies count. */
export function processesNaming(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`)
    .filter((line) => line.includes(text));
}

export function environmentVariable(pid: number, name: string): string | undefined {
  const entry = read(`/proc/${pid}/environ`)
    .split('\0')
    .find((line) => line.startsWith(`${name}=`));
  return entry?.slice(name.length + 1);
}

const CHUNK_BYTES = 4 * 1024 * 1024;

/** Searches every readable mapping of a process; returns how often each needle was found. */
export function searchMemory(pid: number, needles: readonly Buffer[]): readonly number[] {
  const counts = needles.map(() => 0);
  const longest = Math.max(...needles.map((needle) => needle.length));
  eachChunk(pid, longest, (chunk) => count(chunk, needles, counts));
  return counts;
}

/** What begins with the mark, wherever it stands in a process. */
export function memoryFrom(pid: number, mark: string, lengthBytes: number): readonly Buffer[] {
  const found: Buffer[] = [];
  eachChunk(pid, lengthBytes, (chunk) => {
    for (let at = chunk.indexOf(mark); at !== -1; at = chunk.indexOf(mark, at + 1))
      found.push(Buffer.from(chunk.subarray(at, at + lengthBytes)));
  });
  return found;
}

function eachChunk(pid: number, overlap: number, look: (chunk: Buffer) => void): void {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const [start, end] of readableMappings(pid)) scan(memory, start, end, overlap, look);
  } finally {
    closeSync(memory);
  }
}

function readableMappings(pid: number): [number, number][] {
  return read(`/proc/${pid}/maps`)
    .split('\n')
    .flatMap((line): [number, number][] => {
      const match = /^([0-9a-f]+)-([0-9a-f]+) r\S* \S+ \S+ \S+\s*(.*)$/.exec(line);
      if (!match?.[1] || !match[2] || /^\[v(var|syscall|dso)/.test(match[3] ?? '')) return [];
      return [[Number.parseInt(match[1], 16), Number.parseInt(match[2], 16)]];
    });
}

function scan(memory: number, start: number, end: number, overlap: number, look: (chunk: Buffer) => void): void {
  const buffer = Buffer.alloc(CHUNK_BYTES + overlap);
  for (let at = start; at < end; at += CHUNK_BYTES) {
    try {
      const length = readSync(memory, buffer, 0, Math.min(buffer.length, end - at), at);
      look(buffer.subarray(0, length));
    } catch {
      // A page that went away or may not be read holds nothing for us.
    }
  }
}

function count(chunk: Buffer, needles: readonly Buffer[], counts: number[]): void {
  for (const [i, needle] of needles.entries()) if (chunk.includes(needle)) counts[i] = (counts[i] ?? 0) + 1;
}
