/** SIGTERM and SIGINT as an AbortSignal. A second signal ends the process at once, for whoever is in a hurry. */

const EXIT_AFTER_SECOND_SIGNAL = 130;

export interface SignalWatch {
  readonly signal: AbortSignal;
  readonly dispose: () => void;
}

export function watchStopSignals(): SignalWatch {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(EXIT_AFTER_SECOND_SIGNAL);
    controller.abort(new Error(`received ${name}`));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
    },
  };
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
