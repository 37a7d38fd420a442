/**
 * A program under a watchdog that holds its own thread: for ever, or in spells between which its event loop turns, longer in all than the
 * watchdog bears at once; then it stops.
 */
import { Watchdog } from '../../../../supervisor/watchdog/watchdog.ts';

const SPELLS = 12;

const watchdog = new Watchdog({ beatMs: 20, lookMs: 250, looks: 12 });
await watchdog.start(new AbortController().signal);
/** 0: for ever. */
const spellMs = Number(process.argv[2]);
const nobodyWakes = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

process.stdout.write('working\n');
if (spellMs === 0) Atomics.wait(nobodyWakes, 0, 0);
let spells = 0;
const working = setInterval(() => {
  Atomics.wait(nobodyWakes, 0, 0, spellMs);
  spells += 1;
  if (spells < SPELLS) return;
  clearInterval(working);
  void watchdog.stop().then(() => process.stdout.write('stopped\n'));
}, 1);
