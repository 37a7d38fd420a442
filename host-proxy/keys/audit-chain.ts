/** The chain of an audit log: that each line is a record and names the hash of the line before it. What the records mean is judged elsewhere. */
import { type AuditRecord, lineHash, parseRecord } from './audit-record.ts';

/** Where a log first goes wrong. */
export interface Break {
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

export interface ReadChain {
  /** Those before the break, or all. */
  readonly records: readonly AuditRecord[];
  /** Hash of the last whole line, whether the chain holds or not; null where there is none. */
  readonly head: string | null;
  readonly broken: Break | undefined;
  /** Bytes behind the last line break: of a line that was not finished. */
  readonly tornBytes: number;
  readonly lines: number;
}

/** @param bytes of the whole file */
export function readChain(bytes: Buffer): ReadChain {
  const end = bytes.lastIndexOf('\n') + 1;
  const lines = end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
  const records: AuditRecord[] = [];
  let head: string | null = null;
  let broken: Break | undefined;
  for (const [index, line] of lines.entries()) {
    const found = broken === undefined ? follow(line, index + 1, head) : undefined;
    if (typeof found === 'string') broken = { line: index + 1, reason: found };
    else if (found !== undefined) records.push(found);
    head = lineHash(line);
  }
  return { records, head, broken, tornBytes: bytes.length - end, lines: lines.length };
}

function follow(line: string, seq: number, previous: string | null): AuditRecord | string {
  const record = parseRecord(line);
  if (typeof record === 'string') return record;
  if (record.seq !== seq) return `it has number ${record.seq}: lines are missing before it, or there twice`;
  if (record.previous === previous) return record;
  return `it follows a line with hash ${record.previous ?? 'none'}; the line before it has ${previous ?? 'none'}`;
}
