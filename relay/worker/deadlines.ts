/** Deadlines of thousands of connections without a timer each: a binary heap, whose root sets the time-out of epoll_wait. */

export interface Deadline {
  /** On the loop's clock. Set by Deadlines. */
  deadlineMs: number;
  /** Place in the heap, -1 when not in it. Set by Deadlines; starts as -1. */
  heapIndex: number;
}

/** epoll_wait takes an int; far deadlines are looked at again after this long. */
const MAX_TIMEOUT_MS = 60_000;

export class Deadlines<Item extends Deadline> {
  readonly #heap: Item[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** Sets or moves the deadline of `item`. */
  set(item: Item, deadlineMs: number): void {
    const before = item.heapIndex < 0 ? Number.POSITIVE_INFINITY : item.deadlineMs;
    item.deadlineMs = deadlineMs;
    if (item.heapIndex < 0) {
      item.heapIndex = this.#heap.length;
      this.#heap.push(item);
    }
    if (deadlineMs < before) this.#siftUp(item);
    else this.#siftDown(item);
  }

  clear(item: Item): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    this.#place(last, index);
    this.#siftUp(last);
    this.#siftDown(last);
  }

  /** Takes out one item that is due at `nowMs`. */
  takeDue(nowMs: number): Item | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.deadlineMs > nowMs) return undefined;
    this.clear(first);
    return first;
  }

  /** For epoll_wait: -1 when nothing is to come, else at least 0, rounded up so that the item is due after the wait. */
  timeoutMs(nowMs: number): number {
    const first = this.#heap[0];
    if (first === undefined) return -1;
    return Math.min(MAX_TIMEOUT_MS, Math.max(0, Math.ceil(first.deadlineMs - nowMs)));
  }

  #place(item: Item, index: number): void {
    this.#heap[index] = item;
    item.heapIndex = index;
  }

  #siftUp(item: Item): void {
    let index = item.heapIndex;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || parent.deadlineMs <= item.deadlineMs) break;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(item, index);
  }

  #siftDown(item: Item): void {
    let index = item.heapIndex;
    for (;;) {
      const left = this.#heap[2 * index + 1];
      const right = this.#heap[2 * index + 2];
      const child = right !== undefined && left !== undefined && right.deadlineMs < left.deadlineMs ? right : left;
      if (child === undefined || child.deadlineMs >= item.deadlineMs) break;
      const childIndex = child.heapIndex;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(item, index);
  }
}
