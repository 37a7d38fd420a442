/** Gathers findings: the same of the same statement is told once, with all that was found of it. */
import type { Statement } from '../language/document.ts';
import { nameOf } from '../statement-name.ts';
import type { PolicyFinding, PolicyFindingCode } from './findings.ts';
import { makeFinding } from './findings.ts';

const MAX_DETAILS = 6;

export class Report {
  readonly #found = new Map<string, { code: PolicyFindingCode; statement: string | null; details: Set<string> }>();

  add(code: PolicyFindingCode, statement: Statement | null, detail: string): void {
    const name = statement === null ? null : nameOf(statement);
    const id = `${code} ${name}`;
    const entry = this.#found.get(id) ?? { code, statement: name, details: new Set() };
    entry.details.add(detail);
    this.#found.set(id, entry);
  }

  /** For each of the statements; for the policy as a whole when there is none. */
  addTo(code: PolicyFindingCode, statements: readonly Statement[], detail: string): void {
    for (const statement of statements) this.add(code, statement, detail);
    if (statements.length === 0) this.add(code, null, detail);
  }

  has(code: PolicyFindingCode, statement: Statement): boolean {
    return this.#found.has(`${code} ${nameOf(statement)}`);
  }

  /** Errors first. */
  findings(): readonly PolicyFinding[] {
    const all = [...this.#found.values()].map(({ code, statement, details }) => {
      const shown = [...details].slice(0, MAX_DETAILS);
      const more = details.size - shown.length;
      return makeFinding(code, statement, `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`);
    });
    return [
      ...all.filter(({ severity }) => severity === 'error'),
      ...all.filter(({ severity }) => severity !== 'error'),
    ];
  }
}
