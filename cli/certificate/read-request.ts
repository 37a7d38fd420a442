/** Where a request for a certificate comes from: a file, or host-proxy's attestation listener, which is asked with a nonce of ours. */
import type { AttestedRequest } from '../../attestation/certificate-request-file.ts';
import { MAX_REQUEST_FILE_BYTES, parseAttestedRequest } from '../../attestation/certificate-request-file.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { TlsKeyError } from '../../keys/tls/errors.ts';
import { CliError } from '../errors.ts';
import { askHttp } from '../verify/fetch-http.ts';
import { readOptionFile } from './files.ts';

const PATH = '/v1/certificate-request';
const TIMEOUT_MS = 30_000;

export const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') {
    throw new CliError('CLI_OPTION', '--request is no address of an attestation listener', { found: text });
  }
  if (url.pathname === '/') url.pathname = PATH;
  return url;
}

/**
 * @param from URL of the listener (the path may be left out), or a file
 * @param nonce sent to a listener
 * @throws CliError CLI_OPTION, CLI_ATTESTATION_UNREACHABLE, CLI_ATTESTATION_REFUSED, CLI_ATTESTATION_ANSWER;
 * TlsKeyError TLS_REQUEST_INVALID
 */
export async function readRequest(from: string, nonce: Buffer): Promise<AttestedRequest> {
  const bytes = isUrl(from)
    ? await askHttp(urlOf(from), nonce, AbortSignal.timeout(TIMEOUT_MS))
    : readOptionFile('--request', from);
  try {
    if (bytes.length > MAX_REQUEST_FILE_BYTES) throw new FormatError('it is too long');
    return parseAttestedRequest(bytes.toString('utf8'));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new TlsKeyError('TLS_REQUEST_INVALID', `${from} is no request: ${cause.message}`, { cause });
  }
}
