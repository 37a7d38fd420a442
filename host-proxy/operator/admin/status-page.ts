/**
 * The status page's files, and the runbooks that it links to: read once, at the start. The scripts are JavaScript with types in comments, so
 * that what a browser gets is what stands on disk, byte for byte, and every way of installing copies them as they are (docs/status-page.md).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ServedFile {
  readonly type: string;
  readonly body: string;
}

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const PLAIN = 'text/plain; charset=utf-8';

/** By the path that a browser asks for. */
const PAGE_FILES: Readonly<Record<string, { readonly type: string; readonly file: URL }>> = {
  '/': { type: HTML, file: new URL('./page/index.html', import.meta.url) },
  '/page.css': { type: 'text/css; charset=utf-8', file: new URL('./page/page.css', import.meta.url) },
  '/icon.svg': { type: 'image/svg+xml', file: new URL('./page/icon.svg', import.meta.url) },
  '/main.js': { type: SCRIPT, file: new URL('./page/main.js', import.meta.url) },
  '/dom.js': { type: SCRIPT, file: new URL('./page/dom.js', import.meta.url) },
  '/cells.js': { type: SCRIPT, file: new URL('./page/cells.js', import.meta.url) },
  '/service.js': { type: SCRIPT, file: new URL('./page/service.js', import.meta.url) },
  '/traffic.js': { type: SCRIPT, file: new URL('./page/traffic.js', import.meta.url) },
  '/trust.js': { type: SCRIPT, file: new URL('./page/trust.js', import.meta.url) },
  '/sections.js': { type: SCRIPT, file: new URL('./page/sections.js', import.meta.url) },
  '/words.js': { type: SCRIPT, file: new URL('./page/words.js', import.meta.url) },
};

const RUNBOOKS = fileURLToPath(new URL('../../../docs/runbooks/', import.meta.url));
const RUNBOOK_FILE = /^([A-Za-z0-9_-]{1,80})\.md$/;

/** By their paths; none where the installation has none. */
function readRunbooks(folder: string): readonly (readonly [string, ServedFile])[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((file) => {
    const name = RUNBOOK_FILE.exec(file)?.[1];
    if (name === undefined) return [];
    return [[`/runbooks/${name}`, { type: PLAIN, body: readFileSync(join(folder, file), 'utf8') }] as const];
  });
}

/** What the admin port serves as it stands on disk, by path. @throws where a file of the page is not there */
export function readServedFiles(runbooks = RUNBOOKS): ReadonlyMap<string, ServedFile> {
  const page = Object.entries(PAGE_FILES).map(
    ([path, { type, file }]) => [path, { type, body: readFileSync(file, 'utf8') }] as const,
  );
  return new Map([...page, ...readRunbooks(runbooks)]);
}
