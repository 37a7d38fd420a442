/**
 * How commands end: every signal that asks for an end (SIGTERM, SIGINT, SIGQUIT, and SIGHUP of a terminal that is gone) aborts one
 * AbortSignal, so that whatever runs ends in order. Another one, a while later, ends the process at once, for whoever is in a hurry;
 * right behind the first it is the same wish told twice (a terminal and a process manager both tell).
 *
 * To a daemon without a terminal SIGHUP says by custom that its logs were rotated (logrotate(8), `systemctl reload`).
 */
import { isatty } from 'node:tty';

const ENDING = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const;
const EXIT_AFTER_SECOND_SIGNAL = 130;
const SAME_WISH_MS = 1_000;
const STANDARD_DESCRIPTORS = [0, 1, 2];

interface StopOptions {
  /** What SIGHUP asks of a daemon; one that was started in a terminal ends instead, like any other command there. */
  readonly onHangUp?: () => void;
}

/** Asked before the terminal is gone: afterwards its descriptors are none. */
function isOnTerminal(): boolean {
  return STANDARD_DESCRIPTORS.some((fd) => isatty(fd));
}

/** Runs what ends in order, with nothing half-done left, when its signal aborts. */
export async function untilStopped<Result>(
  run: (signal: AbortSignal) => Promise<Result>,
  { onHangUp }: StopOptions = {},
): Promise<Result> {
  const controller = new AbortController();
  let firstMs = Number.POSITIVE_INFINITY;
  const reload = isOnTerminal() ? undefined : onHangUp;
  const onSignal = (name: NodeJS.Signals) => {
    if (name === 'SIGHUP' && reload) {
      reload();
      return;
    }
    if (performance.now() - firstMs > SAME_WISH_MS) process.exit(EXIT_AFTER_SECOND_SIGNAL);
    firstMs = Math.min(firstMs, performance.now());
    controller.abort(new Error(`received ${name}`));
  };
  for (const name of ENDING) process.on(name, onSignal);
  try {
    return await run(controller.signal);
  } finally {
    for (const name of ENDING) process.off(name, onSignal);
  }
}
