/**
 * What keeps older key sets out of the enclave that runs, as that states it: enclave.yaml of a folder may be of another image. Nothing is
 * verified of it here; `verify` does that.
 */
import { randomBytes } from 'node:crypto';
import { decodeStatement } from '../../attestation/runtime/statement.ts';
import { StopRequested } from '../../runtime/abort.ts';
import type { DaemonOption } from '../ask-daemon.ts';
import { parseAnswerJson } from '../verify/answer-json.ts';
import { askLine } from './ask-keys.ts';

const NONCE_BYTES = 32;

/** @returns undefined where it states nothing, or nothing now. @throws StopRequested */
export async function statedPin(options: DaemonOption): Promise<string | undefined> {
  try {
    const answer = await askLine(options, { command: 'attest', nonce: randomBytes(NONCE_BYTES).toString('hex') });
    const statement = decodeStatement(parseAnswerJson(answer).statement);
    return statement.workload !== 'app' && statement.keys.source === 'parent' ? statement.keys.pin : undefined;
  } catch (error) {
    if (error instanceof StopRequested) throw error;
    return undefined;
  }
}
