/** Waiting for several where none may be left behind: what the others do when one has failed must not come later. */

/** Waits for all even where one fails. @throws what the first of them in order failed by */
export async function untilAll(all: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(all)).find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
}
