/**
 * Asks an enclave for a document on its public port: TLS at once with the protocol `acra-attestation/1`, one frame with the request, one
 * with the answer. The answer is that of a stranger: bounded, and judged by nobody yet.
 */
import { describeError } from '../../runtime/errors.ts';
import { quoteStranger } from '../../runtime/harmless-text.ts';
import { WireError } from '../../wire/errors.ts';
import { askEnclave } from '../../wire/requests/ask.ts';
import { ATTESTATION_ALPN } from '../../wire/requests/bounds.ts';
import type { EnclaveAnswer } from '../../wire/requests/messages.ts';
import { CliError } from '../errors.ts';
import type { Fetched } from './fetched.ts';
import { connectDirect, type ServerAddress, shownBy } from './tls-server.ts';

const MAX_QUOTE = 300;

function requireAttestation(answer: EnclaveAnswer): Pick<Fetched, 'document' | 'statement'> {
  if (answer.type === 'attestation') {
    return { document: Buffer.from(answer.document, 'base64'), statement: Buffer.from(answer.statement, 'base64') };
  }
  const found = quoteStranger(`${answer.code}: ${answer.message}`, MAX_QUOTE);
  throw new CliError('CLI_ATTESTATION_REFUSED', 'the enclave refuses to attest', { found });
}

function failure(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof CliError) return error;
  if (signal.aborted) return new CliError('CLI_ATTESTATION_UNREACHABLE', describeError(signal.reason));
  const code = error instanceof WireError ? 'CLI_ATTESTATION_ANSWER' : 'CLI_ATTESTATION_UNREACHABLE';
  return new CliError(code, 'there is no answer that can be read', { cause: error });
}

/**
 * @param signal also ends a server that does not answer
 * @throws CliError CLI_ATTESTATION_UNREACHABLE, CLI_ATTESTATION_REFUSED, CLI_ATTESTATION_ANSWER
 */
export async function fetchDirect(address: ServerAddress, nonce: Buffer, signal: AbortSignal): Promise<Fetched> {
  const socket = await connectDirect(address, ATTESTATION_ALPN, signal);
  try {
    const tls = shownBy(socket);
    const answer = await askEnclave(socket, { type: 'attest', nonce: nonce.toString('base64') }, signal);
    return { ...requireAttestation(answer), tls };
  } catch (error) {
    throw failure(error, signal);
  } finally {
    socket.destroy();
  }
}
