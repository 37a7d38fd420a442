/** Tests wait for what happens, never for a while: a wait by the clock is too long on most machines and too short on some. */
import t from 'tap';
import { filesOf, readSource } from './imports.ts';
import { realWaitsIn } from './source-rules.ts';

/** Where time itself is what is tried, or where nobody says that something has happened. Shrinks; grows only with its reason. */
const ALLOWED: Readonly<Record<string, string>> = {
  'test/abuse/support/honest-main.ts': 'a client that comes as often as one does, and no more often',
  'test/abuse/support/login-lies.ts': 'a database that sends a byte a second',
  'test/abuse/support/pace.ts': 'attacks at a rate, for as long as they are to be borne',
  'test/enclave/support/explaining.ts': 'a test that has failed already waits for the logs that say why',
  'test/prometheus/support.ts': 'Prometheus is asked which alerts fire, and tells nobody by itself',
  'test/relay/shortage.test.ts': 'what is seen is that a worker does nothing for a while',
  'test/runtime/seams.test.ts': 'the clock itself is tried, with timers of the test’s own and with aborts',
  'test/supervisor/support/failing-boot.ts': 'what is seen is that real timers keep a process alive',
  'test/supervisor/watchdog/support/held.ts': 'an event loop that turns between spells of work',
  'test/vm/departures.test.ts': 'an enclave sends its numbers at an interval, and nothing says that they have come',
  'test/vm/faults.test.ts': 'half a minute without the parent is what the machine has to bear',
  'test/vm/images/isolation.ts': 'a relay counts an address that cannot be reached, and says nothing of one that can',
};

t.test('keeps tests from waiting by the clock', async (t) => {
  const files = filesOf(['test']).filter((file) => !file.startsWith('test/project/'));
  t.ok(files.length > 100, 'files were read');
  const waits = new Map(files.map((file) => [file, realWaitsIn(readSource(file))]));
  const waiting = [...waits].filter(([, found]) => found.length > 0);
  t.same(
    waiting.filter(([file]) => !(file in ALLOWED)),
    [],
  );
  t.same(waiting.map(([file]) => file).toSorted(), Object.keys(ALLOWED), 'no exception is left that nobody needs');
});

t.test('sees every form of such a wait', async (t) => {
  for (const line of [
    'await new Promise((resolve) => setTimeout(resolve, 10));',
    'const timer = setInterval(() => busy.write(x), 20);',
    "import { setTimeout as delay } from 'node:timers/promises';",
    "import { scheduler } from 'node:timers/promises';",
    'await systemClock.sleep(POLL_MS, signal);',
    'Atomics.wait(cells, 0, 0, 1);',
    'pauseThread(5);',
    "await once(AbortSignal.timeout(100), 'abort');",
    'await whenAborted(AbortSignal.timeout(100));',
    'while (Date.now() < endMs) look();',
    'while (!found && clock.monotonicMs() < endMs) look();',
  ]) {
    t.same(realWaitsIn(`a;\n${line}\n`), [`2: ${line}`]);
  }
  for (const line of [
    "import { setImmediate as turn } from 'node:timers/promises';",
    'await new Promise(setImmediate);',
    'clock.sleep(1000, stop)',
    "spawn('sleep', ['60'])",
    "const LIVES = 'setInterval(() => {}, 1e6)';",
    '// setTimeout(resolve, 10)',
    'const signal = AbortSignal.timeout(60_000);',
  ]) {
    t.same(realWaitsIn(line), [], line);
  }
});
