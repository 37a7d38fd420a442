/** The table of who may import whom (docs/architecture.md shows it), and the fences that the table cannot say. */
import t from 'tap';
import { circlesOf, graphOf, reachable } from './graph.ts';
import { readArrows } from './imports.ts';
import { folderOf, MAY_IMPORT, SOURCE_FOLDERS } from './source-folders.ts';

const arrows = readArrows(SOURCE_FOLDERS);
const graph = graphOf(arrows);

t.test('keeps every import inside what the table of folders allows', async (t) => {
  t.ok(arrows.length > 100, 'arrows were read');
  const forbidden = arrows.filter(({ from, to }) => {
    const [source, target] = [folderOf(from), folderOf(to)];
    return source !== target && to !== 'package.json' && !MAY_IMPORT[source]?.includes(target);
  });
  t.same(forbidden, []);
});

t.test('keeps the table of folders free of circles', async (t) => {
  const edges = Object.entries(MAY_IMPORT).flatMap(([from, targets]) => targets.map((to) => ({ from, to })));
  t.same(circlesOf(graphOf(edges)), []);
});

t.test('keeps imports free of circles, those of types included', async (t) => {
  t.same(circlesOf(graph), []);
});

t.test('keeps host-proxy to the verifying part of attestation', async (t) => {
  const beyond = arrows.filter(({ from, to }) => folderOf(from) === 'host-proxy' && /^attestation\/nsm\//.test(to));
  t.same(beyond, []);
});

t.test('keeps host-proxy to what an image says of itself', async (t) => {
  const beyond = arrows.filter(
    ({ from, to }) =>
      folderOf(from) === 'host-proxy' && folderOf(to) === 'eif' && !/^eif\/(image-facts|memory-budget)\.ts$/.test(to),
  );
  t.same(beyond, []);
});

t.test('keeps emulators and the stand-in from every folder but cli, at run time and by type', async (t) => {
  const starts = [...graph.keys()].filter((file) => !['cli', 'emulator'].includes(folderOf(file)));
  t.ok(starts.includes('supervisor/main.ts'), 'files were read');
  t.same(
    [...reachable(starts, graph)].filter((file) => ['cli', 'emulator', 'test', 'bench'].includes(folderOf(file))),
    [],
  );
});

t.test('keeps emulators and the stand-in out of the command of a parent instance', async (t) => {
  const reached = reachable(['cli/parent.ts'], graph);
  t.ok(reached.has('host-proxy/daemon.ts'), 'the command was followed');
  t.same(
    [...reached].filter((file) => folderOf(file) === 'emulator'),
    ['emulator/errors.ts'],
    'only the advice about their codes',
  );
});

t.test('keeps the stand-in from the other emulators, but for certificates and what all of them share', async (t) => {
  const others = [...reachable(['emulator/acra-server/main.ts'], graph)].filter((file) =>
    /^emulator\/(kms|imds|nsm|postgres)\//.test(file),
  );
  t.same(others, []);
});
