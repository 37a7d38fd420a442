/** The new files as YAML, with a comment at each place that asks for a decision. */
import { Document, isMap, isNode, isScalar, isSeq } from 'yaml';
import type { Change, FileKey, Fragment, Place } from './change.ts';
import type { Conversion } from './convert.ts';

const DECIDE = 'TO DECIDE';
const LINE = 110;

const HEADS: Readonly<Record<FileKey, string>> = {
  enclave:
    ' What runs in the enclave, and its ways in and out. Measured. `acra-enclave config check` says what is missing.',
  host: ' What the parent instance forwards. Not measured, not trusted: a wrong value here can only deny service.',
  image: ' How the enclave image is built.',
};

function wrapped(text: string, width: number): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length + 1 > width) lines.push(` ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

/** The node in front of which a comment stands: the key of a map, the entry of a list. */
function anchorOf(document: Document, path: Place['path']): { commentBefore?: string | null } | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const key = parent.items.find((item) => isScalar(item.key) && item.key.value === last)?.key;
    return isNode(key) ? key : undefined;
  }
  const entry = isSeq(parent) ? parent.items[Number(last)] : undefined;
  return isNode(entry) ? entry : undefined;
}

function render(key: FileKey, content: Fragment, changes: readonly Change[]): string {
  const document = new Document(content);
  document.commentBefore = HEADS[key];
  for (const { outcome, places, why } of changes) {
    const own = places.find(({ file }) => file === key);
    if (outcome !== 'decide' || own === undefined) continue;
    const anchor = anchorOf(document, own.path);
    if (anchor) anchor.commentBefore = wrapped(`${DECIDE}: ${why}`, LINE);
  }
  return document.toString({ lineWidth: 0 });
}

export function renderFiles({ files, changes }: Conversion): Readonly<Record<FileKey, string>> {
  return {
    enclave: render('enclave', files.enclave, changes),
    host: render('host', files.host, changes),
    image: render('image', files.image, changes),
  };
}
