/** Asks for a document by HTTP, at the listener that host-proxy has for it. Bounded; redirections are not followed. */
import { Agent, request } from 'undici';
import { describeError } from '../../runtime/errors.ts';
import { quoteStranger } from '../../runtime/harmless-text.ts';
import { CliError } from '../errors.ts';
import { failureIn, MAX_ANSWER_JSON_BYTES, parseAnswerJson } from './answer-json.ts';
import type { Fetched } from './fetched.ts';

const PATH = '/v1/attestation';
const MAX_QUOTE = 300;
const OK = 200;

/** The path may be left out. @throws CliError CLI_OPTION */
export function attestationUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new CliError('CLI_OPTION', '--url is no address of an attestation endpoint', {
      found: text,
      allowed: `http://HOST:PORT${PATH}`,
    });
  }
  if (url.pathname === '/') url.pathname = PATH;
  return url;
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_ANSWER_JSON_BYTES) {
      const allowed = `${MAX_ANSWER_JSON_BYTES} bytes`;
      throw new CliError('CLI_ATTESTATION_ANSWER', 'the answer is longer than any attestation', { allowed });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function ask(url: URL, dispatcher: Agent, signal: AbortSignal): Promise<Buffer> {
  const { statusCode, body } = await request(url, { dispatcher, signal });
  const bytes = await readBounded(body);
  if (statusCode === OK) return bytes;
  const found = quoteStranger(`${statusCode} ${failureIn(bytes) ?? ''}`, MAX_QUOTE);
  throw new CliError('CLI_ATTESTATION_REFUSED', 'the endpoint gives no attestation', { found });
}

/** @returns JSON. @throws CliError CLI_ATTESTATION_UNREACHABLE, CLI_ATTESTATION_REFUSED, CLI_ATTESTATION_ANSWER */
export async function askHttp(address: URL, nonce: Buffer, signal: AbortSignal): Promise<Buffer> {
  const url = new URL(address);
  url.searchParams.set('nonce', nonce.toString('hex'));
  const dispatcher = new Agent();
  try {
    return await ask(url, dispatcher, signal);
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (signal.aborted) throw new CliError('CLI_ATTESTATION_UNREACHABLE', describeError(signal.reason));
    throw new CliError('CLI_ATTESTATION_UNREACHABLE', `cannot reach ${address.host}`, { cause: error });
  } finally {
    await dispatcher.destroy();
  }
}

/** @throws CliError CLI_ATTESTATION_UNREACHABLE, CLI_ATTESTATION_REFUSED, CLI_ATTESTATION_ANSWER */
export async function fetchHttp(
  address: URL,
  nonce: Buffer,
  signal: AbortSignal,
): Promise<Pick<Fetched, 'document' | 'statement'>> {
  return parseAnswerJson(await askHttp(address, nonce, signal));
}
