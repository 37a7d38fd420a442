/** The prepared statements of a session: what their names mean now, and may mean when the database gets to what is under way. */
import type { Prepared } from '../statements/plan.ts';

export interface ParseRequest {
  readonly name?: string;
  readonly plan?: Prepared | undefined;
  /** How many Syncs the client had sent before. */
  readonly segment?: number;
}

/** Of one name, in the order in which they were sent. */
interface UnderWay<Request> {
  readonly all: Set<Request>;
  latest: Request;
}

export class Statements<Request extends ParseRequest = ParseRequest> {
  /** As far as the database confirmed them. */
  readonly #known = new Map<string, Prepared>();
  readonly #parsing = new Map<string, UnderWay<Request>>();

  /** A Parse was sent. */
  parsing(request: Request): void {
    const { name = '' } = request;
    const underWay = this.#parsing.get(name) ?? { all: new Set(), latest: request };
    underWay.all.add(request);
    underWay.latest = request;
    this.#parsing.set(name, underWay);
  }

  /** The database will not carry it out. */
  dropped(request: Request): void {
    const { name = '' } = request;
    const underWay = this.#parsing.get(name);
    underWay?.all.delete(request);
    // They go in the order in which they came: with the last one all are gone.
    if (underWay?.all.size === 0) this.#parsing.delete(name);
  }

  /** ParseComplete came. */
  parsed(request: Request): void {
    this.dropped(request);
    const { name, plan } = request;
    if (name !== undefined && plan !== undefined) this.#known.set(name, plan);
  }

  /** CloseComplete came. */
  closed({ name, plan }: Request): void {
    if (name !== undefined && plan !== undefined && plan === this.#known.get(name)) this.#known.delete(name);
  }

  /** @param name undefined: all */
  forget(name: string | undefined): void {
    if (name === undefined) this.#known.clear();
    else this.#known.delete(name);
  }

  /** All that a name may mean when the database gets to what is sent now. @param segment how many Syncs the client has sent */
  plansOf(name: string, segment: number): Prepared[] {
    const underWay = this.#parsing.get(name);
    // Nothing that refers to it is carried out unless this Parse is: up to Sync an error skips both.
    if (name === '' && underWay?.latest.segment === segment) return underWay.latest.plan ? [underWay.latest.plan] : [];
    const known = this.#known.get(name);
    const later = [...(underWay?.all ?? [])].flatMap(({ plan }) => plan ?? []);
    return [...new Set([...(known ? [known] : []), ...later])];
  }
}
