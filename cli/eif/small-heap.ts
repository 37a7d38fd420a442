/**
 * Keeps this process and its children small while it builds: a build makes much garbage and keeps little. V8 would let the
 * space for new objects grow by 30 MB instead of emptying it, and the runtime of esbuild (Go) would wait with collecting
 * until its heap has doubled. To be called before the code that builds is loaded, which fills the space first.
 */
import { setFlagsFromString } from 'node:v8';

export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  process.env['GOGC'] ??= '20';
}
