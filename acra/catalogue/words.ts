/**
 * What the source of a function mentions. Words are compared without case and without regard to quotes, comments and strings, so that a
 * function may be taken to mention what it does not, and never the other way round. Whatever could name something by other letters
 * than its own (a text that is run, an escaped identifier, a definition with a body of its own) makes a source unreadable.
 */
import { NO_RECEIVERS } from './no-receivers.ts';

const WORD = /[a-z0-9_\u0080-\u{10ffff}]+/gu;
const SYMBOL = /[+\-*/<>=~!@#%^&|`?]+/g;
/** NAMEDATALEN - 1: longer names are cut off. */
const MAX_NAME_BYTES = 63;

const cut = (word: string) =>
  Buffer.from(word)
    .subarray(0, MAX_NAME_BYTES)
    .toString()
    .replace(/\ufffd+$/, '');

/** A dollar sign divides: what it belongs to (`$1`, `$tag$`, `a$b`) depends on the server's release. */
function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  for (const [word] of text.toLowerCase().matchAll(WORD)) {
    words.add(word);
    if (/^\d/.test(word)) words.add(word.replace(/^\d+/, ''));
    if (Buffer.byteLength(word) > MAX_NAME_BYTES) words.add(cut(word));
  }
  return words;
}

/** Words that run a text, or define what runs one. */
const RUNNERS = ['execute', 'prepare', 'create', 'alter', 'import', 'copy', ...NO_RECEIVERS];

export interface Source {
  readonly words: ReadonlySet<string>;
  readonly symbols: string;
  /** Why nobody can say what it does; undefined where it can be read. */
  readonly fault: string | undefined;
}

function faultOf(source: string, words: ReadonlySet<string>): string | undefined {
  const runner = RUNNERS.find((word) => words.has(word)) ?? [...words].find((word) => word.startsWith('dblink'));
  if (runner !== undefined) return `has ${runner.toUpperCase()}, which may run any text`;
  if (/u&"/i.test(source)) return 'has an identifier in escapes';
  if (/\bdo\b(?!\s+(?:nothing|update|instead|also)\b)/i.test(source)) return 'has DO, which runs a text';
  return undefined;
}

export function readSource(source: string): Source {
  const words = wordsOf(source);
  const symbols = [...new Set(source.match(SYMBOL))].join(' ');
  return { words, symbols, fault: faultOf(source, words) };
}

/** Which sources mention a name. */
export class Mentions {
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #byWord = new Map<string, string[]>();

  /** @param sources by the id of their function */
  constructor(sources: ReadonlyMap<string, Source>) {
    this.#sources = sources;
    for (const [id, { words }] of sources) {
      for (const word of words) {
        const known = this.#byWord.get(word);
        if (known) known.push(id);
        else this.#byWord.set(word, [id]);
      }
    }
  }

  /** All words of a name must be there; one without a word may be any. @returns ids of functions */
  ofName(name: string): readonly string[] {
    const words = name.toLowerCase().match(WORD) ?? [];
    const found = words.map((word) => this.#byWord.get(word) ?? []).toSorted((a, b) => a.length - b.length);
    const isIn = (id: string) => words.every((word) => this.#sources.get(id)?.words.has(word));
    return found[0] ? found[0].filter(isIn) : [...this.#sources.keys()];
  }

  /** PostgreSQL's lexer divides runs of symbols in its own way. */
  ofOperator(name: string): readonly string[] {
    return [...this.#sources].flatMap(([id, { symbols }]) => (symbols.includes(name) ? [id] : []));
  }
}
