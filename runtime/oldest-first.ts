/**
 * Things that wait, by whose they are: who of them came first, and who has most, so that whoever takes much makes room for whoever takes
 * little. All is asked and told in constant time, for it is asked when there is no time: in a flood.
 */

interface Busiest {
  readonly whose: string | undefined;
  readonly count: number;
}

/** undefined is a name as every other: of those that nobody knows. */
export class OldestFirst<Item> {
  /** In the order of arrival, as a Map keeps it. */
  readonly #whose = new Map<Item, string | undefined>();
  readonly #items = new Map<string | undefined, Set<Item>>();
  /** Names by how many items each has; who came to that number first is first. */
  readonly #names = new Map<number, Set<string | undefined>>();
  #most = 0;

  get size(): number {
    return this.#whose.size;
  }

  /** Who has most; of several the one that came to that number first. */
  get busiest(): Busiest | undefined {
    const names = this.#names.get(this.#most);
    return names && { whose: names.values().next().value, count: this.#most };
  }

  /** Who has most when one more of this name has come, with whom that one counts. */
  busiestWith(whose: string | undefined): string | undefined {
    const { busiest } = this;
    return busiest && busiest.count > this.countOf(whose) ? busiest.whose : whose;
  }

  has(item: Item): boolean {
    return this.#whose.has(item);
  }

  countOf(whose: string | undefined): number {
    return this.#items.get(whose)?.size ?? 0;
  }

  /** As they came. */
  items(): readonly Item[] {
    return [...this.#whose.keys()];
  }

  oldest(): Item | undefined {
    return this.#whose.keys().next().value;
  }

  oldestOf(whose: string | undefined): Item | undefined {
    return this.#items.get(whose)?.values().next().value;
  }

  /** An item that is there already stays as it is. */
  add(item: Item, whose: string | undefined): void {
    if (this.#whose.has(item)) return;
    this.#whose.set(item, whose);
    const items = this.#items.get(whose) ?? new Set();
    this.#items.set(whose, items.add(item));
    this.#count(whose, items.size - 1, items.size);
  }

  /** @returns whether it was there. */
  delete(item: Item): boolean {
    if (!this.#whose.has(item)) return false;
    const whose = this.#whose.get(item);
    this.#whose.delete(item);
    const items = this.#items.get(whose) ?? new Set();
    items.delete(item);
    if (items.size === 0) this.#items.delete(whose);
    this.#count(whose, items.size + 1, items.size);
    return true;
  }

  #count(whose: string | undefined, before: number, now: number): void {
    const former = this.#names.get(before);
    former?.delete(whose);
    if (former?.size === 0) this.#names.delete(before);
    if (now > 0) this.#names.set(now, (this.#names.get(now) ?? new Set()).add(whose));
    if (now > this.#most || !this.#names.has(this.#most)) this.#most = now;
  }
}
