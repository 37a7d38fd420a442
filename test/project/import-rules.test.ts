/** The table of who may import whom (docs/architecture.md draws it). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Arrow } from './imports.ts';
import { PROJECT, readArrows } from './imports.ts';
import { MAY_IMPORT, SOURCE_FOLDERS } from './source-folders.ts';

const arrows = readArrows(SOURCE_FOLDERS);
const folderOf = (file: string) => file.split('/')[0] ?? '';

t.test('keeps every import inside what the table of folders allows', async (t) => {
  t.ok(arrows.length > 100, 'arrows were read');
  const forbidden = arrows.filter(({ from, to }) => {
    const [source, target] = [folderOf(from), folderOf(to)];
    return source !== target && to !== 'package.json' && !MAY_IMPORT[source]?.includes(target);
  });
  t.same(forbidden, []);
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

t.test('keeps emulators out of the daemons at run time', async (t) => {
  const graph = byFile(arrows);
  for (const daemon of ['supervisor/main.ts', 'host-proxy/enclave-host.ts', 'host-proxy/daemon.ts']) {
    const reached = [...reachable(daemon, graph)].filter(
      (file) => file.startsWith('emulator/') || file.startsWith('cli/'),
    );
    t.same(reached, [], daemon);
  }
});

t.test('keeps imports free of circles', async (t) => {
  const graph = byFile(arrows.filter(({ typeOnly }) => !typeOnly));
  const circles = [...graph.keys()].filter((file) =>
    [...(graph.get(file) ?? [])].some((next) => reachable(next, graph).has(file)),
  );
  t.same(circles, []);
});

t.test('keeps every source file at 300 lines or less, opened by a comment that says why it exists', async (t) => {
  const files = [...new Set(arrows.map(({ from }) => from))];
  for (const file of files) {
    const text = readFileSync(join(PROJECT, file), 'utf8');
    t.ok(text.split('\n').length <= 301, `${file} is short`);
    t.match(text, /^(#!.*\n)?\/\*\*/, `${file} says why it exists`);
  }
});

function byFile(list: readonly Arrow[]): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { from, to } of list) graph.set(from, (graph.get(from) ?? new Set()).add(to));
  return graph;
}

function reachable(start: string, graph: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const seen = new Set([start]);
  for (const file of seen) for (const next of graph.get(file) ?? []) seen.add(next);
  return seen;
}
