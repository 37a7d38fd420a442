/**
 * Pages of docs/ hold what was measured between marks, each made by a command; what is written around them stays. All of it is written at
 * the end, the page last and at once, so that a run that is interrupted leaves everything as it was.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = new URL('../../docs/', import.meta.url).pathname;

export interface Page {
  /** In docs/. */
  readonly file: string;
  /** Of charts and of all numbers, as the page names it. */
  readonly folder: string;
  /** Which makes its parts. */
  readonly command: string;
}

const PERFORMANCE: Page = { file: 'performance.md', folder: 'performance', command: 'make bench' };
export const HIGH_AVAILABILITY: Page = {
  file: 'high-availability.md',
  folder: 'high-availability',
  command: 'make fleet',
};

const STAND_IN = 'the stand-in for acra-server';

/** What one benchmark has to say. */
export interface Part {
  readonly name: string;
  /** Which acra-server it was, if it needs one: its digest, or that it was the stand-in. */
  readonly acraServer?: string;
  /** For the page and the terminal. @param picture what shows one of the pictures, or nothing where there are none */
  readonly text: (picture: (name: string) => string) => string;
  /** SVG by name. */
  readonly pictures: ReadonlyMap<string, string>;
  /** By file name. */
  readonly csv: ReadonlyMap<string, string>;
}

/** How the page and the report name the acra-server that was measured. @param description of the program */
export function nameAcraServer(description: string): string {
  const digest = /sha256 \w+/.exec(description)?.[0];
  return digest === undefined ? STAND_IN : `acra-server, ${digest}…`;
}

const marksOf = (name: string, { command }: Page) =>
  [`<!-- ${name}: made by ${command} -->`, `<!-- ${name}: end -->`] as const;

function partOf(page: string, name: string, of: Page): { readonly from: number; readonly to: number } {
  const [begin, end] = marksOf(name, of);
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/${of.file} has no part between ${begin} and ${end}`);
  return { from, to };
}

/** @throws where the page has no such marks */
export function replacePart(page: string, name: string, text: string, of = PERFORMANCE): string {
  const { from, to } = partOf(page, name, of);
  return `${page.slice(0, from)}${marksOf(name, of)[0]}\n${text.trim()}\n${page.slice(to)}`;
}

/** Whether numbers of the stand-in would take the place of the real program's. */
export function wouldHideAcraServer(
  page: string,
  { name, acraServer }: Pick<Part, 'name' | 'acraServer'>,
  of = PERFORMANCE,
): boolean {
  if (acraServer !== STAND_IN) return false;
  const { from, to } = partOf(page, name, of);
  return /: acra-server, sha256 /.test(page.slice(from, to));
}

export function textForTerminal({ text }: Part): string {
  return text(() => '').replaceAll(/\n{3,}/g, '\n\n');
}

function pictureIn({ name: part, pictures }: Part, { folder }: Page): (name: string) => string {
  return (name) => {
    const title = /aria-label="([^"]*)"/.exec(pictures.get(name) ?? '')?.[1] ?? name;
    return `![${title}](${folder}/${part}-${name}.svg)`;
  };
}

/** @returns the names of those that were left as they are, because the stand-in was measured */
export function writeParts(parts: readonly Part[], mayReplace: boolean, of = PERFORMANCE): string[] {
  const [file, folder] = [join(DOCS, of.file), join(DOCS, of.folder)];
  mkdirSync(folder, { recursive: true });
  let page = readFileSync(file, 'utf8');
  const kept = mayReplace ? [] : parts.filter((part) => wouldHideAcraServer(page, part, of));
  const written = parts.filter((part) => !kept.includes(part));
  for (const part of written) page = replacePart(page, part.name, part.text(pictureIn(part, of)), of);
  for (const { name, pictures, csv } of written) {
    for (const old of readdirSync(folder)) if (old.startsWith(`${name}-`)) rmSync(join(folder, old));
    for (const [picture, svg] of pictures) writeFileSync(join(folder, `${name}-${picture}.svg`), svg);
    for (const [table, text] of csv) writeFileSync(join(folder, table), text);
  }
  writeFileSync(`${file}.${process.pid}`, page);
  renameSync(`${file}.${process.pid}`, file);
  return kept.map(({ name }) => name);
}
