/**
 * Keeps this process and its children small while it builds: a build makes much garbage and keeps little. V8 would also wait with
 * collecting old objects until there are twice as many (a container image has ten thousands of files, and something is made for each), and
 * so would the runtime of esbuild (Go). To be called before the code that builds is loaded, which fills the space first.
 */
import { setFlagsFromString } from 'node:v8';
import { keepNewSpaceSmall } from '../../runtime/small-heap.ts';

export function keepHeapSmall(): void {
  keepNewSpaceSmall();
  setFlagsFromString('--heap-growing-percent=10');
  process.env['GOGC'] ??= '20';
}
