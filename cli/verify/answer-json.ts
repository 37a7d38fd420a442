/** The JSON in which host-proxy's listener answers, and in which answers are saved: `{"version":1,"document":BASE64,"statement":BASE64}`. */
import { z } from 'zod';
import { CliError } from '../errors.ts';

const MAX_BASE64 = 96 * 1024;
/** Both in base64, with what is around them. */
export const MAX_ANSWER_JSON_BYTES: number = 2 * MAX_BASE64 + 1_024;

const base64 = z.base64().max(MAX_BASE64);
const answer = z.strictObject({ version: z.literal(1), document: base64, statement: base64 });
const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new CliError('CLI_ATTESTATION_ANSWER', 'the answer is not JSON', { cause });
  }
}

/** @throws CliError CLI_ATTESTATION_ANSWER */
export function parseAnswerJson(bytes: Buffer): { readonly document: Buffer; readonly statement: Buffer } {
  const parsed = answer.safeParse(parseJson(bytes));
  if (!parsed.success) {
    const found = z.prettifyError(parsed.error);
    throw new CliError('CLI_ATTESTATION_ANSWER', 'the answer has an unknown shape', { found });
  }
  const { document, statement } = parsed.data;
  return { document: Buffer.from(document, 'base64'), statement: Buffer.from(statement, 'base64') };
}

/** `CODE: message` of an answer that is none, as far as it can be read. A stranger's text. */
export function failureIn(bytes: Buffer): string | undefined {
  try {
    const { error } = failure.parse(JSON.parse(bytes.toString('utf8')));
    return `${error.code}: ${error.message}`;
  } catch {
    return undefined;
  }
}
