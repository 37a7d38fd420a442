/**
 * The logger that every component is handed. A record is an event name from the component's own vocabulary plus flat
 * fields: no prose to parse, no object graphs that could drag a secret along. Where records go (control connection in
 * the enclave, pino on the parent, memory in tests) is the composer's choice.
 */

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogValue = string | number | boolean | null;
export type LogFields = Readonly<Record<string, LogValue | undefined>>;

/** `component.happening`, lower-case, e.g. `relay.opened`. */
export type LogEvent = `${string}.${string}`;

export interface Logger {
  log(level: LogLevel, event: LogEvent, fields?: LogFields): void;
}

/** For components that are used without a logger, such as a one-shot command. */
export const silentLogger: Logger = { log: () => undefined };
