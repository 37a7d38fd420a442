/** The prepared statements of a session: what their names mean now, and may mean when the database gets to what is under way. */
import type { Plan } from '../statements/judge.ts';

interface ParseRequest {
  readonly name?: string;
  readonly plan?: Plan | undefined;
  /** How many Syncs the client had sent before. */
  readonly segment?: number;
}

export class Statements<Request extends ParseRequest> {
  /** As far as the database confirmed them. */
  readonly #known = new Map<string, Plan>();
  readonly #parsing = new Set<Request>();

  /** A Parse was sent. */
  parsing(request: Request): void {
    this.#parsing.add(request);
  }

  /** The database will not carry it out. */
  dropped(request: Request): void {
    this.#parsing.delete(request);
  }

  /** ParseComplete came. */
  parsed(request: Request): void {
    this.#parsing.delete(request);
    const { name, plan } = request;
    if (name !== undefined && plan !== undefined) this.#known.set(name, plan);
  }

  /** CloseComplete came. */
  closed({ name, plan }: Request): void {
    if (name !== undefined && plan !== undefined && plan === this.#known.get(name)) this.#known.delete(name);
  }

  /** All that a name may mean when the database gets to what is sent now. @param segment how many Syncs the client has sent */
  plansOf(name: string, segment: number): (Plan | undefined)[] {
    const underWay = [...this.#parsing].filter((request) => request.name === name);
    const latest = underWay.at(-1);
    // Nothing that refers to it is carried out unless this Parse is: up to Sync an error skips both.
    if (name === '' && latest?.segment === segment) return [latest.plan];
    const known = this.#known.get(name);
    return [...new Set([...(known ? [known] : []), ...underWay.map(({ plan }) => plan)])];
  }
}
