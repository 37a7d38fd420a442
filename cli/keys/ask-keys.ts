/** Asks the daemon on the parent about keys. Its answers are the parent's word: what counts is judged afterwards. */
import type { z } from 'zod';
import { type KeysReport, keysReport } from '../../host-proxy/keys/key-answers.ts';
import type { CommandRequest } from '../../host-proxy/operator/command/protocol.ts';
import { StopRequested } from '../../runtime/abort.ts';
import { CodedError } from '../../runtime/errors.ts';
import { harmlessText } from '../../runtime/harmless-text.ts';
import { ask, type DaemonOption } from '../ask-daemon.ts';
import { CliError } from '../errors.ts';

/** @returns the line that it answers. @throws CodedError, also the daemon’s; StopRequested */
export async function askLine(options: DaemonOption, request: CommandRequest): Promise<Buffer> {
  let text = '';
  const done = await ask(options, request, (reply) => {
    if (reply.type === 'line') text = reply.text;
  });
  if (done === undefined) throw new StopRequested('a signal ended the asking');
  return Buffer.from(text, 'utf8');
}

/**
 * Of what the daemon carries on with when nobody waits for its answer any more.
 * @throws StopRequested, which says so; what `asking` throws
 */
export async function askToChange<Answer>(asking: Promise<Answer>): Promise<Answer> {
  try {
    return await asking;
  } catch (error) {
    if (!(error instanceof StopRequested)) throw error;
    throw new StopRequested(
      'a signal ended the asking; what was handed in is carried out all the same: `acra-enclave keys status` and `keys list` tell',
    );
  }
}

/** All of it may be shown: a parent that writes to an operator's terminal could put other words in the place of ours. */
const harmless = (_: string, value: unknown) => (typeof value === 'string' ? harmlessText(value) : value);

/** @throws CliError CLI_KEYS_ANSWER, and those of askLine */
export async function askFor<Schema extends z.ZodType>(
  options: DaemonOption,
  request: CommandRequest,
  schema: Schema,
): Promise<z.output<Schema>> {
  const line = await askLine(options, request);
  try {
    return schema.parse(JSON.parse(line.toString('utf8'), harmless));
  } catch (cause) {
    throw new CliError('CLI_KEYS_ANSWER', 'the daemon answers in an unknown form', { cause });
  }
}

/** What the enclave says of its key set. @throws CodedError: why it says nothing */
export async function askEnclaveKeys(options: DaemonOption): Promise<NonNullable<KeysReport['enclave']>> {
  const { enclave, silent } = await askFor(options, { command: 'keys-status' }, keysReport);
  if (enclave !== null) return enclave;
  throw new CodedError(silent?.code ?? 'HOST_ATTESTATION_UNANSWERED', silent?.message ?? 'the enclave does not answer');
}
