/** What a document in Markdown names: links to other documents, files and folders of the tree, and its own headings. */

export interface Link {
  /** As it stands in the document, without the anchor; empty for the document itself. */
  readonly path: string;
  readonly anchor: string | undefined;
}

const LINK = /\]\(\s*<?([^)\s>]*)>?(?:\s+"[^"]*")?\s*\)|^\s*\[[^\]]+\]:\s*(\S+)|\b(?:src|href)="([^"]+)"/gm;
const FENCE = /^(`{3,}|~{3,}).*\n[\s\S]*?^\1\s*$/gm;
const SPAN = /(`+)([\s\S]*?[^`])\1(?!`)/g;

/** Links to elsewhere (`https:`, `mailto:`) are left out; a fenced block has no links. */
export function linksIn(markdown: string): Link[] {
  return [...markdown.replace(FENCE, '').replace(SPAN, '').matchAll(LINK)]
    .map(([, inline, reference, attribute]) => inline ?? reference ?? attribute ?? '')
    .filter((target) => target !== '' && !/^[a-z][a-z0-9+.-]*:/i.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { path, anchor };
    });
}

/** The names under which GitHub lets headings be linked to. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...markdown.replace(FENCE, '').matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** A folder, or a file of a kind that the tree has: other projects have folders of the same names. */
const OURS = /(?:\/|\.(?:ts|cjs|md|ya?ml|json|sh|svg|config|service|conf|patch)|\*)$/;

/**
 * Paths that start with one of the tree's own folders, wherever they stand, and names of TypeScript files in code spans.
 * `{a,b}` and `*` are kept as they are.
 */
export function pathsIn(markdown: string, folders: readonly string[]): string[] {
  const from = new RegExp(`(?<![\\w./@<-])(?:${folders.join('|')})/[\\w./*{},-]*`, 'g');
  const paths = [...markdown.matchAll(from)]
    .map(([path]) => path.replace(/[.,]+$/, ''))
    .filter((path) => OURS.test(path));
  const names = [...markdown.replace(FENCE, '').matchAll(SPAN)].flatMap(([, , code = '']) =>
    /^[\w-]+(?:\.test)?\.(?:ts|cjs)$/.test(code) ? [code] : [],
  );
  return [...new Set([...paths, ...names])];
}
