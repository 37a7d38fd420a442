/** Where a document is from: the public port, the HTTP endpoint, or a file; and which connection's key is compared with it. */
import { randomBytes } from 'node:crypto';
import type { Demands, JudgementTime } from '../../attestation/verify/demands.ts';
import { CliError } from '../errors.ts';
import { addressOf } from './address.ts';
import { readNonce } from './demands.ts';
import { fetchDirect } from './fetch-direct.ts';
import { attestationUrl, fetchHttp } from './fetch-http.ts';
import type { Fetched } from './fetched.ts';
import { readSaved } from './files.ts';
import { showTls } from './tls-server.ts';

export interface SourceOptions {
  readonly connect?: string;
  readonly url?: string;
  readonly document?: string;
  readonly statement?: string;
  readonly tls?: string;
  readonly nonce?: string;
  /** Milliseconds. */
  readonly maxAge?: number;
}

export interface Source {
  /** For people and programs. */
  readonly described: string;
  /** Those that depend on where the document is from. No nonce: none is demanded. */
  readonly demands: Pick<Demands, 'nonce' | 'time'>;
  fetch(signal: AbortSignal): Promise<Fetched>;
}

const NONCE_BYTES = 32;

const byClock = (maxAgeMs: number | undefined): JudgementTime => ({
  by: 'clock',
  ...(maxAgeMs !== undefined && { maxAgeMs }),
});

/** Exactly one source. @throws CliError CLI_OPTION */
export function sourceOf(options: SourceOptions): Source {
  const { connect, url, document, statement, tls, maxAge } = options;
  const given = [connect, url, document].filter((each) => each !== undefined).length;
  if (
    given !== 1 ||
    (connect !== undefined && tls !== undefined) ||
    (document === undefined && statement !== undefined)
  ) {
    throw new CliError('CLI_OPTION', 'say where the document is from', {
      allowed:
        '--connect HOST:PORT; --url URL, with --tls HOST:PORT or without; or --document FILE, with --statement FILE or without',
    });
  }
  const nonce = options.nonce === undefined ? undefined : readNonce(options.nonce);
  const peer = tls === undefined ? undefined : addressOf('--tls', tls);
  const showPeer = async (signal: AbortSignal) => (peer === undefined ? undefined : await showTls(peer, signal));
  if (document !== undefined) {
    return {
      described: document,
      demands: {
        time: maxAge === undefined ? { by: 'document' } : byClock(maxAge),
        ...(nonce && { nonce }),
      },
      fetch: async (signal) => ({ ...(await readSaved(document, statement)), tls: await showPeer(signal) }),
    };
  }
  const asked = nonce ?? randomBytes(NONCE_BYTES);
  const demands = { nonce: asked, time: byClock(maxAge) };
  if (connect !== undefined) {
    const address = addressOf('--connect', connect);
    return { described: connect, demands, fetch: (signal) => fetchDirect(address, asked, signal) };
  }
  const endpoint = attestationUrl(url ?? '');
  return {
    described: endpoint.href,
    demands,
    fetch: async (signal) => ({ ...(await fetchHttp(endpoint, asked, signal)), tls: await showPeer(signal) }),
  };
}
