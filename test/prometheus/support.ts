/** A Prometheus of its own that scrapes one daemon every second, with the rules of deploy/monitoring/. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test as TapTest } from 'tap';
import { stringify } from 'yaml';
import { z } from 'zod';
import { freePort } from '../../emulator/free-port.ts';
import { systemClock } from '../../runtime/clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const RULES = new URL('../../deploy/monitoring/acra-enclave.rules.yaml', import.meta.url);

const answer = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            name: z.string(),
            health: z.string(),
            lastError: z.string().optional(),
            state: z.string(),
            alerts: z.array(z.object({ state: z.string(), labels: z.record(z.string(), z.string()) })),
          }),
        ),
      }),
    ),
  }),
});
export type RuleState = z.infer<typeof answer>['data']['groups'][number]['rules'][number];

const queried = z.object({ data: z.object({ result: z.array(z.unknown()) }) });

const POLL_MS = 200;

export interface RunningPrometheus {
  /** Those that have no series, as soon as they are no more than `most`, or when the signal aborts. @throws where Prometheus refuses one */
  untilShown(expressions: readonly string[], most: number, signal: AbortSignal): Promise<readonly string[]>;
  /** @throws the signal's reason */
  until(wanted: (rules: readonly RuleState[]) => boolean, signal: AbortSignal): Promise<readonly RuleState[]>;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Its rules need not hold for their minutes, and are evaluated every second. @param target `127.0.0.1:9464` */
export async function startPrometheus(t: TapTest, target: string): Promise<RunningPrometheus> {
  const folder = temporaryFolder(t);
  const rules = readFileSync(RULES, 'utf8')
    .replaceAll(/\bfor: \d+m/g, 'for: 1s')
    .replace('interval: 30s', 'interval: 1s');
  writeFileSync(join(folder, 'rules.yaml'), rules);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yaml'],
    scrape_configs: [{ job_name: 'acra-enclave', static_configs: [{ targets: [target] }] }],
  };
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
  const origin = `127.0.0.1:${await freePort()}`;
  const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=${origin}`];
  const child = spawn('prometheus', args, { cwd: folder, stdio: 'ignore' });
  await once(child, 'spawn');
  t.teardown(() => end(child));
  const ask = async () => {
    const response = await fetch(`http://${origin}/api/v1/rules?type=alert`);
    return answer.parse(await response.json()).data.groups.flatMap((group) => group.rules);
  };
  const isShown = async (expression: string) => {
    const response = await fetch(`http://${origin}/api/v1/query?${new URLSearchParams({ query: expression })}`);
    if (!response.ok) throw new Error(`${expression}: ${await response.text()}`);
    return queried.parse(await response.json()).data.result.length > 0;
  };
  const pause = (signal: AbortSignal) => systemClock.sleep(POLL_MS, signal);
  return {
    untilShown: async (expressions, most, signal) => {
      for (;;) {
        const shown = await Promise.all(expressions.map(isShown));
        const empty = expressions.filter((_each, index) => !shown[index]);
        if (empty.length <= most || signal.aborted) return empty;
        await pause(signal).catch(() => undefined);
      }
    },
    until: async (wanted, signal) => {
      for (;;) {
        const told = await ask().catch(() => []);
        if (wanted(told)) return told;
        await pause(signal);
      }
    },
  };
}

export const firing = (rules: readonly RuleState[]): readonly string[] =>
  rules.filter(({ state }) => state === 'firing').map(({ name }) => name);
