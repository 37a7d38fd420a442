/**
 * Keeps this process and its children small while it builds: a build makes much garbage and keeps little. V8 would let the
 * space for new objects grow by 30 MB instead of emptying it, and wait with collecting old ones until there are twice as many (a
 * container image has ten thousands of files, and something is made for each); and so would the runtime of esbuild (Go). To be called before the code that builds is loaded, which fills the space first.
 */
import { setFlagsFromString } from 'node:v8';

export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=10');
  process.env['GOGC'] ??= '20';
}
