/** Both sides of a conversation that passes through the stand-in. */
import type { Conversation } from '../../../../acra/conversation/conversation.ts';
import type { Frame } from './frames.ts';

/** Sends all requests first, as a pipelining client does, then lets all answers come. */
export async function converse(
  conversation: Conversation,
  requests: readonly Frame[],
  answers: readonly Frame[],
): Promise<{ readonly toDatabase: Buffer[]; readonly toClient: Buffer[] }> {
  const toDatabase: Buffer[] = [];
  for (const request of requests) toDatabase.push(await conversation.fromClient(request));
  const toClient: Buffer[] = [];
  for (const answer of answers) toClient.push(...(await conversation.fromDatabase([answer])));
  return { toDatabase, toClient };
}
