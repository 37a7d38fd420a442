/** Access to PostgreSQL's own parse tree: every node is an object with its kind as the only key. Locations are byte offsets. */
import type { Node, RangeVar } from 'libpg-query';
import { tooComplex } from './parser.ts';

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
  collect(tree, kind, found, 0);
  return found;
}

/** As `walk` would, without a node made of each field: most statements are searched several times for what they do not hold. */
function collect<Kind extends NodeKind>(tree: unknown, kind: Kind, found: BodyOf<Kind>[], depth: number): void {
  if (typeof tree !== 'object' || tree === null) return;
  if (depth > MAX_DEPTH) throw tooComplex();
  if (Array.isArray(tree)) {
    for (const item of tree) collect(item, kind, found, depth + 1);
    return;
  }
  for (const key in tree) {
    const value = (tree as Readonly<Record<string, never>>)[key];
    if (key === kind) found.push(...allAs([tree as Node], kind));
    if (!isRepeated(key, value ?? {})) collect(value, kind, found, depth + 1);
  }
}

/** What a tree names as relations, wherever in it: as nodes, and in the fields of statements. */
export function relationsIn(tree: unknown): RangeVar[] {
  const found: RangeVar[] = [];
  walk(tree, (node) => {
    const [body] = Object.values(node) as (Partial<RangeVar> | undefined)[];
    if (typeof body?.relname === 'string') found.push(body);
    return true;
  });
  return found;
}

/** Whether a constant is a value, and not NULL or a truth. */
export const isValueConstant = ({ isnull, boolval }: BodyOf<'A_Const'>): boolean => !isnull && !boolval;

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
  if (depth > MAX_DEPTH) throw tooComplex();
  if (Array.isArray(tree)) {
    for (const item of tree) walk(item, visit, depth + 1);
    return;
  }
  for (const key in tree) {
    const value = (tree as Readonly<Record<string, never>>)[key];
    if (visit({ [key]: value } as unknown as Node, key) && !isRepeated(key, value ?? {})) walk(value, visit, depth + 1);
  }
}
