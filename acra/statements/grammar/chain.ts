/** A list that grows at its end, and whose older states stay as they are: a statement may have thousands of relations and queries. */
export class Chain<Each> {
  readonly #before: Chain<Each> | undefined;
  readonly #own: readonly Each[];
  #all: readonly Each[] | undefined;

  constructor(own: readonly Each[] = [], before?: Chain<Each>) {
    this.#own = own;
    this.#before = before;
  }

  with(own: readonly Each[]): Chain<Each> {
    return own.length === 0 ? this : new Chain(own, this);
  }

  get all(): readonly Each[] {
    this.#all ??= [...this.#links()].toReversed().flatMap((each) => each.#own);
    return this.#all;
  }

  findLast(is: (each: Each) => boolean): Each | undefined {
    for (const each of this.#links()) {
      const found = each.#own.findLast(is);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  *#links(): Generator<Chain<Each>> {
    for (let each: Chain<Each> | undefined = this; each; each = each.#before) yield each;
  }
}
