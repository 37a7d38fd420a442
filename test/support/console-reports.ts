/**
 * How an image of a test tells its test something: a line on the machine's serial console. The kernel writes there too, in
 * the middle of another's line as well. Specification: Linux, Documentation/core-api/printk-basics.rst; CONFIG_PRINTK_TIME.
 */
import { writeSync } from 'node:fs';

const STDOUT = 1;

/**
 * `[   12.345678] text` to the end of the line; what it interrupts goes on behind it. A carriage return that it tore off its
 * line feed is shown as text.
 */
const KERNEL_WORDS = /(?:\\x0d)?\[ *\d+\.\d{6}\] [^\n]*(?:\n|$)/g;

export function withoutKernelWords(console: string): string {
  return console.replace(KERNEL_WORDS, '');
}

/** The newest lines of the kernel: a process that crashed, memory that ran out, a stall. */
export function lastKernelWords(console: string, lines: number): readonly string[] {
  return (console.match(KERNEL_WORDS) ?? []).slice(-lines).map((line) => line.trim());
}

/** In the image: one line, on one that is its own. */
export function printReport(name: string, report: object): void {
  writeSync(STDOUT, `\n${name} ${JSON.stringify(report)}\n`);
}

/** In the test: the whole reports of that name, oldest first. */
export function reportsIn<Report>(console: string, name: string): readonly Report[] {
  const lines = console.split('\n').slice(0, -1);
  return lines
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => JSON.parse(line.slice(name.length)) as Report);
}
