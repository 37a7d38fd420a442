/** A run as a file: written while it lasts, so that one that is cut off is not lost, and what a page can be made from later. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Counts } from './counts.ts';
import type { Run } from './run.ts';

export interface Kept {
  /** Date, machine and programs. */
  readonly head: string;
  /** Which one it was. */
  readonly acraServer: string;
  readonly runs: readonly Run[];
}

const toJson = (_key: string, value: unknown) => (value instanceof Map ? [...value] : value);

function revived(run: Run): Run {
  const { surprises, ...numbers } = run.counts;
  const counts = Object.assign(new Counts(), numbers);
  for (const [what, count] of surprises) counts.surprises.set(what, count);
  return { ...run, counts };
}

export function keep(file: string, kept: Kept): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(kept, toJson));
}

export function readKept(file: string): Kept {
  const kept: Kept = JSON.parse(readFileSync(file, 'utf8'));
  return { ...kept, runs: kept.runs.map(revived) };
}
