/** Both sides of a conversation that passes through the stand-in. */
import type { Conversation } from '../../../../emulator/acra-server/conversation.ts';
import type { Frame } from './frames.ts';

/** Sends all requests first, as a pipelining client does, then lets all answers come. */
export async function converse(
  conversation: Conversation,
  requests: readonly Frame[],
  answers: readonly Frame[],
): Promise<{ readonly toDatabase: Buffer[]; readonly toClient: Buffer[] }> {
  const toDatabase: Buffer[] = [];
  for (const request of requests) toDatabase.push(await conversation.fromClient(request));
  return { toDatabase, toClient: answers.map((message) => conversation.fromDatabase(message)) };
}
