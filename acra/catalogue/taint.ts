/**
 * Where a value would get to. Everything that a relation or function sets in motion when it is given a value (views and rules, triggers,
 * defaults, constraints, indexes, policies, the types of columns, operators, casts, functions that functions call) is followed, from
 * protected tables and from functions that nobody can read, to all that reach them. What is reached gets no values.
 *
 * Two places stand for a relation: itself (`R`), and the code that runs when it is written (`C`). A protected table is reached by
 * definition; its code is only where that reaches something. So a table whose foreign key changes rows of a protected one along with it
 * is not taken for one that writes values there.
 */

/** An object of the catalogue (catalogue.ts), or `C` and the oid of a relation for the code that runs when that is written. */
export type Place = string;

/** Why a place is reached: by another, or in itself. */
export interface Because {
  /** Of the place that is reached, as `calls`, `names`; where `by` is undefined, what is wrong with it. */
  readonly how: string;
  readonly by: Place | undefined;
}

export interface Link extends Because {
  readonly place: Place;
}

export const codeOf = (relation: string): Place => `C${relation.slice(1)}`;

export class Taint {
  readonly #followers = new Map<Place, (readonly [Place, string])[]>();
  readonly #reached = new Map<Place, Because & { readonly root: Place }>();
  readonly #alsoFollow: (place: Place) => Iterable<readonly [Place, string]>;

  /** @param alsoFollow what else follows from a place that is reached */
  constructor(alsoFollow: (place: Place) => Iterable<readonly [Place, string]>) {
    this.#alsoFollow = alsoFollow;
  }

  /** Where `by` is reached, `place` is. */
  follow(place: Place, how: string, by: Place): void {
    const known = this.#followers.get(by);
    if (known) known.push([place, how]);
    else this.#followers.set(by, [[place, how]]);
  }

  /** To be called when all edges are known. */
  reach(place: Place, how: string): void {
    if (this.#reached.has(place)) return;
    this.#reached.set(place, { how, by: undefined, root: place });
    const open = [place];
    for (const at of open) {
      for (const [next, reason] of [...(this.#followers.get(at) ?? []), ...this.#alsoFollow(at)]) {
        if (this.#reached.has(next)) continue;
        this.#reached.set(next, { how: reason, by: at, root: place });
        open.push(next);
      }
    }
  }

  has(place: Place): boolean {
    return this.#reached.has(place);
  }

  /** Where it began: the last link of the chain. */
  rootOf(place: Place): Link | undefined {
    const root = this.#reached.get(place)?.root;
    const because = root === undefined ? undefined : this.#reached.get(root);
    return root === undefined || !because ? undefined : { place: root, ...because };
  }

  /** From the place to where it began; none where nothing is reached. It may be long. */
  *chain(place: Place): Generator<Link> {
    for (let at: Place | undefined = place; at !== undefined; ) {
      const because = this.#reached.get(at);
      if (!because) return;
      yield { place: at, ...because };
      at = because.by;
    }
  }
}
