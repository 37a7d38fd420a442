/** Access to PostgreSQL's own parse tree: every node is an object with its kind as the only key. Locations are byte offsets. */
import type { Node } from 'libpg-query';
import { Refusal } from './refusal.ts';

type KindOf<Each> = Each extends unknown ? keyof Each : never;
type NodeKind = KindOf<Node>;
export type BodyOf<Kind extends NodeKind> = Extract<Node, Record<Kind, unknown>>[Kind];

/** So that no statement exhausts our own stack. */
const MAX_DEPTH = 2_000;

/** The node's body if it is of that kind. */
export function as<Kind extends NodeKind>(node: Node | undefined, kind: Kind): BodyOf<Kind> | undefined {
  return (node as Partial<Record<Kind, BodyOf<Kind>>> | undefined)?.[kind];
}

/** The bodies of those of the nodes that are of that kind. */
export function allAs<Kind extends NodeKind>(nodes: readonly Node[] | undefined, kind: Kind): BodyOf<Kind>[] {
  return (nodes ?? []).flatMap((node) => as(node, kind) ?? []);
}

/** The bodies of all nodes of that kind in the tree. */
export function allOf<Kind extends NodeKind>(tree: unknown, kind: Kind): BodyOf<Kind>[] {
  const found: BodyOf<Kind>[] = [];
  walk(tree, (node) => found.push(...allAs([node], kind)) >= 0);
  return found;
}

export function stringsOf(nodes: readonly Node[] | undefined): string[] {
  return allAs(nodes, 'String').map(({ sval }) => sval ?? '');
}

/** `SET (a, b) = (1, 2)` has its right side once for each column: with all of them a statement would cost the square of its length. */
const isRepeated = (kind: string, value: { readonly colno?: number }) => kind === 'MultiAssignRef' && value.colno !== 1;

/** What PostgreSQL's own catalogue has under a name: it stands alone, or behind `pg_catalog`. Undefined in a schema of somebody's own. */
export function builtInName(nodes: readonly Node[] | undefined): string | undefined {
  const [schema, ...names] = stringsOf(nodes);
  if (names.length === 0) return schema;
  return schema === 'pg_catalog' && names.length === 1 ? names[0] : undefined;
}

/** Visits every field of the tree, nodes among them, as a node of that kind; no deeper where `visit` returns false. @throws Refusal 54001 */
export function walk(tree: unknown, visit: (node: Node, kind: string) => boolean, depth = 0): void {
  if (typeof tree !== 'object' || tree === null) return;
  if (depth > MAX_DEPTH) throw new Refusal('too-complex', 'the statement is too complex');
  for (const [key, value] of Object.entries(tree)) {
    const isEnd = !Array.isArray(tree) && (!visit({ [key]: value } as Node, key) || isRepeated(key, value));
    if (!isEnd) walk(value, visit, depth + 1);
  }
}
