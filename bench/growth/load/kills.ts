/** What goes wrong in a long life: acra-server is killed, and so are the backends of the application's sessions, one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { APPLICATION } from '../../../cli/demo/database.ts';
import { kill } from '../../kill.ts';
import { commandOf, familyOf } from '../../proc.ts';
import type { Ground } from '../ground.ts';
import { THEIRS } from '../readings.ts';
import type { Load } from '../run.ts';

/** More seldom than a breaker counts (supervisor/children/breaker.ts). */
const BETWEEN_KILLS_MS = 90_000;
const LOOK_MS = 250;

/** By the title that they give themselves: `postgres: user database …`. */
const isBackend = (pid: number) => commandOf(pid).includes(`: ${APPLICATION.user} `);

/** SIGTERM, which is what pg_terminate_backend sends. */
function killBackends({ stack }: Ground): void {
  for (const pid of familyOf(stack.parts.postgres.pid)) if (isBackend(pid)) kill(pid, 'SIGTERM');
}

function killAcra({ pids }: Ground): void {
  const pid = pids()[THEIRS] ?? 0;
  if (pid > 0) kill(pid, 'SIGKILL');
}

const KILLS = [
  { what: 'acra-server was killed', run: killAcra },
  { what: "the sessions' backends were killed", run: killBackends },
];

export const kills =
  (ground: Ground): Load =>
  async (counts, goesOn) => {
    let nextMs = performance.now() + BETWEEN_KILLS_MS;
    for (let count = 0; goesOn(); await sleep(LOOK_MS)) {
      if (performance.now() < nextMs) continue;
      nextMs += BETWEEN_KILLS_MS;
      const chosen = KILLS[count % KILLS.length];
      count += 1;
      if (!chosen) continue;
      chosen.run(ground);
      counts.surprise(chosen.what);
    }
  };
