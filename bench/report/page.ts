/**
 * docs/performance.md holds what was measured between marks, each made by a command; what is written around them stays. All of it is written at
 * the end, the page last and at once, so that a run that is interrupted leaves everything as it was.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = new URL('../../docs/', import.meta.url).pathname;
const PAGE = join(DOCS, 'performance.md');
/** Of charts and of all numbers, as the page names it. */
const FOLDER = 'performance';
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

const marksOf = (name: string) => [`<!-- ${name}: made by make bench -->`, `<!-- ${name}: end -->`] as const;

function partOf(page: string, name: string): { readonly from: number; readonly to: number } {
  const [begin, end] = marksOf(name);
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no part between ${begin} and ${end}`);
  return { from, to };
}

/** @throws where the page has no such marks */
export function replacePart(page: string, name: string, text: string): string {
  const { from, to } = partOf(page, name);
  return `${page.slice(0, from)}${marksOf(name)[0]}\n${text.trim()}\n${page.slice(to)}`;
}

/** Whether numbers of the stand-in would take the place of the real program's. */
export function wouldHideAcraServer(page: string, { name, acraServer }: Pick<Part, 'name' | 'acraServer'>): boolean {
  if (acraServer !== STAND_IN) return false;
  const { from, to } = partOf(page, name);
  return /: acra-server, sha256 /.test(page.slice(from, to));
}

export function textForTerminal({ text }: Part): string {
  return text(() => '').replaceAll(/\n{3,}/g, '\n\n');
}

function pictureIn({ name: part, pictures }: Part): (name: string) => string {
  return (name) => {
    const title = /aria-label="([^"]*)"/.exec(pictures.get(name) ?? '')?.[1] ?? name;
    return `![${title}](${FOLDER}/${part}-${name}.svg)`;
  };
}

/** @returns the names of those that were left as they are, because the stand-in was measured */
export function writeParts(parts: readonly Part[], mayReplace: boolean): string[] {
  const folder = join(DOCS, FOLDER);
  mkdirSync(folder, { recursive: true });
  let page = readFileSync(PAGE, 'utf8');
  const kept = mayReplace ? [] : parts.filter((part) => wouldHideAcraServer(page, part));
  const written = parts.filter((part) => !kept.includes(part));
  for (const part of written) page = replacePart(page, part.name, part.text(pictureIn(part)));
  for (const { name, pictures, csv } of written) {
    for (const file of readdirSync(folder)) if (file.startsWith(`${name}-`)) rmSync(join(folder, file));
    for (const [picture, svg] of pictures) writeFileSync(join(folder, `${name}-${picture}.svg`), svg);
    for (const [file, text] of csv) writeFileSync(join(folder, file), text);
  }
  writeFileSync(`${PAGE}.${process.pid}`, page);
  renameSync(`${PAGE}.${process.pid}`, PAGE);
  return kept.map(({ name }) => name);
}
