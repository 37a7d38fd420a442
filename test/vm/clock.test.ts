/** Whose clock an enclave follows: the security module's, never the one that the parent shows it. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../runtime/clock.ts';
import { EnclaveStack } from '../enclave/support/enclave-stack.ts';
import { qemuTools } from '../enclave/support/qemu-tools.ts';

const DAY_MS = 24 * 3_600_000;
const SLACK_MS = 60_000;

t.test('keeps the security module’s time when the machine’s clock is a day off', async (t) => {
  const health = { probeTimeoutMs: 30_000, maxClockJumpMs: 3_600_000, clockCheckMs: 5_000 };
  const stack = await EnclaveStack.prepare(t, { health });
  const { program } = (await qemuTools()).qemu;
  const wrapper = join(stack.root, 'qemu-of-yesterday');
  writeFileSync(wrapper, `#!/bin/sh\nexec '${program}' "$@" -rtc base=$(date -u -d yesterday +%FT%T)\n`);
  chmodSync(wrapper, 0o755);
  await stack.serve({}, { run: { program: wrapper } });
  const set = stack.records().find(({ event }) => event === 'clock.set');
  const offsetMs = Number(set?.fields?.['clockOffsetMs']);
  t.ok(Math.abs(offsetMs - DAY_MS) < SLACK_MS, `the machine began ${offsetMs} ms behind`);
  const serving = await stack.untilRecord(({ event }) => event === 'supervisor.serving');
  const enclaveMs = Date.parse(String(serving['time']));
  t.ok(Math.abs(enclaveMs - systemClock.nowMs()) < SLACK_MS, `its records are of ${serving['time']}`);
  await stack.untilRecord(({ event }) => event === 'clock.compared');
  t.match(await stack.metrics(), 'acra_enclave_clock_drift_seconds');
  t.equal((await stack.until(() => true)).enclave?.errorCode, null, 'and it is held there');
});
