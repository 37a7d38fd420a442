#!/usr/bin/env node
/**
 * Shows TAP on a terminal: one line of progress, every failure as soon as its file has ended, and a last line with the numbers.
 * A reporter of `tap run`, which writes TAP into it. Programs and CI read TAP itself.
 */
import { stdin, stdout } from 'node:process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { styleText } from 'node:util';
import type { Result } from 'tap-parser';
import { Parser } from 'tap-parser';

interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

const CLEAR_LINE = '\r\u001b[K';
const MS_PER_SECOND = 1_000;
/** What tells nothing that the rest of a diagnosis does not. */
const DULL = new Set([
  'at',
  'source',
  'tapCaught',
  'compare',
  'stdio',
  'cwd',
  'externalID',
  'command',
  'args',
  'jobId',
]);
const DEFAULT_COLUMNS = 80;

const style = (format: Parameters<typeof styleText>[0], text: string) => styleText(format, text, { stream: stdout });

function describe(diagnosis: unknown): string {
  if (typeof diagnosis !== 'object' || diagnosis === null) return '';
  const told = Object.entries(diagnosis).filter(([key]) => !DULL.has(key));
  const lines = told.flatMap(([key, value]) => {
    const text = typeof value === 'string' ? value.trimEnd() : JSON.stringify(value);
    return text.includes('\n') ? [`${key}:`, ...text.split('\n').map((line) => `  ${line}`)] : [`${key}: ${text}`];
  });
  return lines.map((line) => `    ${line}\n`).join('');
}

class Report {
  readonly #terminal: Terminal;
  #files = 0;
  #passed = 0;
  #failed = 0;
  #skipped = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** @param path names of the tests above */
  watch(parser: Parser, path: readonly string[] = []): void {
    let failuresBefore = 0;
    parser.on('child', (child: Parser) => {
      failuresBefore = this.#failed;
      if (path.length === 0) this.#progress(child.name);
      this.watch(child, [...path, child.name]);
    });
    parser.on('assert', (result: Result) => {
      if (result.closingTestPoint) {
        if (path.length === 0) this.#files += 1;
        // A file that crashed, or a test that ran into its time limit, has no failed assertion of its own.
        if (result.ok || result.todo !== false || this.#failed > failuresBefore) return;
      }
      this.#count(result, path);
    });
  }

  #count(result: Result, path: readonly string[]): void {
    if (result.skip !== false || result.todo !== false) this.#skipped += 1;
    else if (result.ok) this.#passed += 1;
    else {
      this.#failed += 1;
      const name = [...path, result.name].map((part) => part.trim()).join(' › ');
      this.#terminal.write(`${CLEAR_LINE}${style('red', '✗')} ${style('bold', name)}\n${describe(result.diag)}`);
    }
  }

  #numbers(): string {
    const failed = `${this.#failed} failed`;
    const shown = this.#failed > 0 ? style('red', failed) : failed;
    return `${style('green', `${this.#passed} passed`)}, ${shown}, ${this.#skipped} skipped`;
  }

  #progress(file: string): void {
    const width = (this.#terminal.columns || DEFAULT_COLUMNS) - 1;
    const text = `${this.#files} files done: ${this.#passed} passed, ${this.#failed} failed; ${file}`;
    this.#terminal.write(`${CLEAR_LINE}${text.slice(0, width)}`);
  }

  end(elapsedMs: number): void {
    const seconds = Math.round(elapsedMs / MS_PER_SECOND);
    this.#terminal.write(`${CLEAR_LINE}${this.#numbers()} (${this.#files} files, ${seconds} s)\n`);
  }
}

/** Resolves when the last line is out. */
export async function reportTests(tap: Readable, terminal: Terminal, nowMs: () => number): Promise<void> {
  const startedMs = nowMs();
  const report = new Report(terminal);
  const parser = new Parser();
  report.watch(parser);
  await pipeline(tap, parser);
  report.end(nowMs() - startedMs);
}

if (import.meta.main) await reportTests(stdin, stdout, () => performance.now());
