/** Builds an enclave image with the application of a container image in a process of its own, and prints what that took. */
import { readFileSync } from 'node:fs';
import { keepHeapSmall } from '../../../../cli/eif/small-heap.ts';

keepHeapSmall();
const { applicationOf } = await import('./application.ts');
const { buildIn } = await import('../../image/support/build.ts');

const [folder = '', image = '', level = '18'] = process.argv.slice(2);
const signal = AbortSignal.timeout(1_700_000);
const startedMs = performance.now();
const application = await applicationOf(folder, image, { signal });
const readMs = performance.now() - startedMs;
const { image: built } = await buildIn(folder, {
  application,
  memoryMiB: 16_384,
  compression: { zstd: Number(level) },
  signal,
});
/** The most that was resident of this program; resourceUsage() counts the process that it was started from, too. */
function peakMiB(): number {
  const [, kib = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
}

const seconds = (ms: number) => Math.round(ms / 100) / 10;
console.log(
  JSON.stringify({
    peakMiB: peakMiB(),
    readSeconds: seconds(readMs),
    seconds: seconds(performance.now() - startedMs),
    unpackedBytes: built.unpackedBytes,
    bytes: built.bytes,
  }),
);
