/** docs/performance.md holds what was measured between marks, each made by a command; what is written around them stays. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = new URL('../../docs/', import.meta.url).pathname;
const PAGE = join(DOCS, 'performance.md');
/** Of charts, as the page names it. */
const CHARTS = 'performance';

/** @throws where the page has no such marks */
export function replacePart(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: made by make bench -->`, `<!-- ${name}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no part between ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n${text.trim()}\n${page.slice(to)}`;
}

export function writePart(name: string, text: string): void {
  writeFileSync(PAGE, replacePart(readFileSync(PAGE, 'utf8'), name, text));
}

/** @param charts by file name. @returns what shows each of them in the page, by file name */
export function writeCharts(prefix: string, charts: ReadonlyMap<string, string>): Map<string, string> {
  const folder = join(DOCS, CHARTS);
  mkdirSync(folder, { recursive: true });
  const shown = new Map<string, string>();
  for (const [name, svg] of charts) {
    const file = `${prefix}-${name}.svg`;
    rmSync(join(folder, file), { force: true });
    writeFileSync(join(folder, file), svg);
    const title = /aria-label="([^"]*)"/.exec(svg)?.[1] ?? name;
    shown.set(name, `![${title}](${CHARTS}/${file})`);
  }
  return shown;
}
