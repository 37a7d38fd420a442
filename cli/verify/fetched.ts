/** Evidence as it was fetched or read, and what the server showed on the way. Nothing of it is verified. */
import type { ShownTls } from './tls-server.ts';

export interface Fetched {
  /** COSE_Sign1. */
  readonly document: Buffer;
  /** Canonical JSON; undefined where only a document was saved. */
  readonly statement: Buffer | undefined;
  /** Of the connection whose key is compared; undefined where there was none. */
  readonly tls: ShownTls | undefined;
}
