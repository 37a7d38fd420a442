/**
 * Who holds the rights in what the package brings along: each npm package with its own text, read from what is installed.
 *
 * Specification: Debian's machine-readable copyright format 1.0; Policy 12.5 (what is in /usr/share/common-licenses is named).
 */
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { PlannedEntry } from '../install/plan.ts';

const LICENCE = /^(licen[cs]e|notice|copying)/i;
const NOTICE = /^\W*(?:\(c\)|copyright)\s.*\d{4}.*$/gim;
const COMMON = '/usr/share/common-licenses';

interface Component {
  /** Below the installation's folder, as a pattern. */
  readonly files: string;
  readonly licence: string;
  readonly text: string;
}

const APACHE = ` On Debian systems, the full text of the Apache License, version 2.0,\n is in ${COMMON}/Apache-2.0.`;

const APACHE_TEXT = /^[^\n]*Apache License\s+Version 2\.0, January 2004[\s\S]*?END OF TERMS AND CONDITIONS$/gm;

function indent(text: string): string {
  return text
    .replaceAll(APACHE_TEXT, `The Apache License, version 2.0: ${COMMON}/Apache-2.0`)
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n');
}

function paragraph({ files, licence, text }: Component): string {
  const notices = [...new Set([...text.matchAll(NOTICE)].map(([notice]) => notice.trim()))].slice(0, 20);
  const isApache = licence === 'Apache-2.0';
  const body = isApache ? APACHE : indent(text);
  const holders = notices.length === 0 ? 'the authors of that package' : notices.join('\n ');
  // A short name has one text only; each package has its own.
  const name = isApache
    ? licence
    : `${licence.replace(/[^\w.+-]+/g, '-')}-of-${files
        .replace(/\/\*$/, '')
        .replace(/^.*node_modules\//, '')
        .replace(/[^\w.+-]+/g, '-')}`;
  return `Files: ${files}\nCopyright: ${holders}\nLicense: ${name}\n${body === '' ? ' As the package states it.' : body}`;
}

/** @param library where the program is installed */
export function copyrightFile(plan: readonly PlannedEntry[], library: string): string {
  const sources = plan.flatMap((entry) =>
    entry.kind === 'file' && 'copyOf' in entry.content && entry.target.includes('/node_modules/')
      ? [{ target: entry.target, path: entry.content.copyOf }]
      : [],
  );
  const texts = Map.groupBy(
    sources.filter(({ target }) => LICENCE.test(basename(target))),
    ({ target }) => dirname(target),
  );
  const components = sources
    .filter(({ target }) => /\/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(target))
    .map(({ target, path }): Component => {
      const { license }: { readonly license?: string } = JSON.parse(readFileSync(path, 'utf8'));
      const text = (texts.get(dirname(target)) ?? []).map((each) => readFileSync(each.path, 'utf8')).join('\n\n');
      return { files: `${dirname(target).slice(1)}/*`, licence: license ?? 'as-stated', text };
    });
  const own = `Files: *\nCopyright: the authors of acra-enclave\nLicense: Apache-2.0\n${APACHE}`;
  const head =
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: acra-enclave';
  const note = `Comment: ${library.slice(1)} brings along the Node.js release and the npm packages that it was tested with.`;
  return `${[`${head}\n${note}`, own, ...components.map(paragraph)].join('\n\n')}\n`;
}
