/** A program under a watchdog that holds its own thread for ever, or turns its event loop between spells of work, and then stops. */
import { Watchdog } from '../../../../supervisor/watchdog/watchdog.ts';

const SPELLS = 10;

const watchdog = new Watchdog({ beatMs: 20, lookMs: 100, looks: 5 });
await watchdog.start(new AbortController().signal);
/** 0: for ever. */
const spellMs = Number(process.argv[2]);

function work(durationMs: number): void {
  for (const endMs = performance.now() + durationMs; performance.now() < endMs; );
}

process.stdout.write('working\n');
if (spellMs === 0) for (;;) work(1_000);
let spells = 0;
const working = setInterval(() => {
  work(spellMs);
  spells += 1;
  if (spells < SPELLS) return;
  clearInterval(working);
  void watchdog.stop().then(() => process.stdout.write('stopped\n'));
}, 1);
