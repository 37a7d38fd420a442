/** A reader at the one end of a stream, and bytes that come to it in pieces from the other. */
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { outcomeOf } from '../../sessions/support/outcome.ts';
import { readNow, streamPair, writeInPieces } from '../../sessions/support/streams.ts';

/** Few: each piece takes turns of the event loop. */
export const streamCuts = fc.array(fc.nat(80), { maxLength: 2 });

/** What came of it, what the other side was told, and what is left for whoever reads next. */
export async function reading<Result>(
  read: (own: Duplex) => Promise<Result>,
  bytes: Buffer,
  cutsAt: readonly number[],
) {
  const { own, peer } = streamPair();
  const result = outcomeOf(read(own));
  await writeInPieces(peer, bytes, cutsAt);
  const told = readNow(peer);
  peer.end();
  const outcome = await result;
  // After a refusal nobody reads on.
  return { result: outcome, told, left: typeof outcome === 'string' ? undefined : readNow(own) };
}
