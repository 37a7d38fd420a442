/** Files that `verify` is told to read: saved documents, statements, roots. */
import { resolve } from 'node:path';
import { MAX_STATEMENT_BYTES } from '../../attestation/runtime/statement.ts';
import { readSmallFile } from '../../eif/input-file.ts';
import { CliError } from '../errors.ts';
import { MAX_ANSWER_JSON_BYTES, parseAnswerJson } from './answer-json.ts';
import type { Fetched } from './fetched.ts';

const MAX_ROOT_BYTES = 65_536;
/** `{`: a document in COSE begins with 0x84 or 0xd2. */
const JSON_START = 0x7b;

async function read(path: string, maxBytes: number): Promise<Buffer> {
  return readSmallFile(resolve(path), maxBytes).catch((cause: unknown) => {
    throw new CliError('CLI_VERIFY_FILE', `cannot read ${path}`, { cause });
  });
}

/**
 * A saved document: COSE_Sign1 as the security module made it, or the whole answer of the HTTP endpoint.
 * @param statementPath of the statement that was saved beside a bare document
 * @throws CliError CLI_VERIFY_FILE, CLI_ATTESTATION_ANSWER
 */
export async function readSaved(
  path: string,
  statementPath: string | undefined,
): Promise<Pick<Fetched, 'document' | 'statement'>> {
  const bytes = await read(path, MAX_ANSWER_JSON_BYTES);
  const statement = statementPath === undefined ? undefined : await read(statementPath, MAX_STATEMENT_BYTES);
  if (bytes[0] !== JSON_START) return { document: bytes, statement };
  const answer = parseAnswerJson(bytes);
  return { ...answer, statement: statement ?? answer.statement };
}

/** PEM. @throws CliError CLI_VERIFY_FILE */
export async function readTrustedRoot(path: string): Promise<string> {
  return (await read(path, MAX_ROOT_BYTES)).toString('latin1');
}
