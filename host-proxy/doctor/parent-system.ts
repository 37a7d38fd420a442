/** What the checks see of the machine. Production looks at the real one (real-system.ts); tests show another. */

import type { Clock } from '../../runtime/clock.ts';
import type { TcpEndpoint, UnixEndpoint } from '../../wire/endpoint.ts';

export type Upstream = TcpEndpoint | UnixEndpoint;

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

export interface HttpQuestion {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Answers with a lower IP time-to-live are dropped by the kernel, as if they had not arrived. */
  readonly minimumTtl?: number;
}

export interface CommandAnswer {
  readonly code: number | null;
  readonly stdout: string;
}

export interface FileStatus {
  readonly bytes: number;
  readonly readable: boolean;
  readonly writable: boolean;
}

export interface ParentSystem {
  readonly clock: Clock;
  /** undefined when there is no such file, or it cannot be read. */
  readText(path: string): string | undefined;
  /** `bytes` bytes from `offset` on, or as many as there are. */
  readRange(path: string, offset: number, bytes: number): Buffer | undefined;
  /** undefined when there is no such file, folder or device, or it is hidden; access is that of the process. */
  status(path: string): FileStatus | undefined;
  /** A folder on the way there is closed to this user, so nothing can be said of it. */
  isHidden(path: string): boolean;
  /** Names in a folder; none when it does not exist. */
  list(folder: string): readonly string[];
  /** undefined, or the name of the error with which socket(AF_VSOCK) fails. */
  vsockError(): string | undefined;
  /** undefined when there is no such program. */
  run(program: string, args: readonly string[], signal: AbortSignal): Promise<CommandAnswer | undefined>;
  /** Addresses of a name as host-proxy finds them, in the order in which it tries them. @throws when there are none. */
  resolve(host: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Plain HTTP. @throws when there is no answer. */
  ask(upstream: Upstream, question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer>;
  /** A TLS handshake that checks the name, then one request. @returns the `Date` of the answer. @throws when either fails. */
  dateOverTls(upstream: TcpEndpoint, signal: AbortSignal): Promise<string | undefined>;
  /** The first byte that PostgreSQL answers to SSLRequest: `S`, `N` or something else. @throws when there is none. */
  postgresTlsAnswer(upstream: Upstream, signal: AbortSignal): Promise<string>;
}
