/** No circle inside relay/, of types either: a reader can begin at the leaves (states, transports) and never has to know what follows. */
import t from 'tap';
import { readArrows } from '../project/imports.ts';

t.test('keeps relay/ free of circles of imports, those of types included', async (t) => {
  const graph = new Map<string, Set<string>>();
  for (const { from, to } of readArrows(['relay'])) graph.set(from, (graph.get(from) ?? new Set()).add(to));
  t.ok(graph.size > 30, 'arrows were read');
  const reachable = (start: string): Set<string> => {
    const seen = new Set(graph.get(start) ?? []);
    for (const file of seen) for (const next of graph.get(file) ?? []) seen.add(next);
    return seen;
  };
  t.same(
    [...graph.keys()].filter((file) => reachable(file).has(file)),
    [],
  );
});
