/** What follows from arrows: who is reached from a file, and which files import each other in a circle. */

export interface Edge {
  readonly from: string;
  readonly to: string;
}

export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

export function graphOf(edges: readonly Edge[]): Graph {
  const graph = new Map<string, Set<string>>();
  for (const { from, to } of edges) graph.set(from, (graph.get(from) ?? new Set()).add(to));
  return graph;
}

/** The starts themselves, and all that follows from them. */
export function reachable(starts: readonly string[], graph: Graph): Set<string> {
  const seen = new Set(starts);
  for (const file of seen) for (const next of graph.get(file) ?? []) seen.add(next);
  return seen;
}

/** Each circle once, as the sorted files that reach each other. */
export function circlesOf(graph: Graph): string[][] {
  const reach = new Map([...graph].map(([file, next]) => [file, reachable([...next], graph)]));
  const circles = [...reach]
    .filter(([file, reached]) => reached.has(file))
    .map(([file, reached]) => [...reached].filter((other) => reach.get(other)?.has(file)).sort());
  return [...new Map(circles.map((circle) => [circle.join(), circle])).values()];
}
