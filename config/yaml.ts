/**
 * The one reader of every YAML file that people write: enclave.yaml, host-proxy.yaml, image.yaml and encryptor.yaml. It takes
 * plain documents only. What makes a file mean something else than it shows (aliases, merge keys, tags, directives, a second
 * document, a key that stands there twice) is refused with its place, and nothing in a file can make it slow or large.
 * Specification: YAML 1.2.2, core schema.
 */
import { isUtf8 } from 'node:buffer';
import { type Document, isMap, isNode, isScalar, LineCounter, type ParsedNode, parseDocument, visit } from 'yaml';
import { ConfigError } from './errors.ts';

/** A scalar as it stands in the file, for readers that know the type of each field. */
export interface YamlScalar {
  readonly scalar: string;
  /** Neither in quotes nor a block. */
  readonly isPlain: boolean;
}

export interface YamlDocument {
  /** Maps, lists, and scalars as the options say; null for a file without content. */
  readonly value: unknown;
  /** 1-based line of a place, or of the nearest place around it that exists. */
  lineOf(path: readonly PropertyKey[]): number;
  /** 1-based line of a key itself in the map at `path`. */
  lineOfKey(path: readonly PropertyKey[], key: string): number;
}

interface YamlOptions {
  /** `typed`: as YAML 1.2 types them; `text`: as YamlScalar. */
  readonly scalars: 'typed' | 'text';
}

/** Of what people write nothing comes near; the library's own recursion holds some thousand. */
const MAX_DEPTH = 100;
/** What an object of JavaScript takes for its prototype: no map from names to values keeps it. */
const PROTOTYPE = '__proto__';
const tags = (...names: string[]) => names.map((name) => `tag:yaml.org,2002:${name}`);
/** Where scalars are texts, a tag would contradict the field's type. */
const ALLOWED_TAGS = {
  typed: tags('str', 'int', 'float', 'bool', 'null', 'seq', 'map'),
  text: tags('seq', 'map'),
} as const;

class Place {
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  lineAt(offset: number): number {
    return this.#lines.linePos(offset).line;
  }

  error(offset: number, message: string, cause?: unknown): ConfigError {
    const { line, col } = this.#lines.linePos(offset);
    const details = cause === undefined ? {} : ({ cause, causeIsTold: true } as const);
    return new ConfigError('CONFIG_SYNTAX', `${this.#file}:${line}:${col}: ${message}`, details);
  }
}

function decode(bytes: Buffer, file: string): string {
  if (!isUtf8(bytes)) throw new ConfigError('CONFIG_SYNTAX', `${file}:1:1: the file is not UTF-8 text`);
  const text = bytes.toString();
  const nul = text.indexOf('\0');
  if (nul === -1) return text;
  const before = text.slice(0, nul).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  throw new ConfigError('CONFIG_SYNTAX', `${file}:${before.length}:${column}: a NUL character is not allowed`);
}

/** How deep the brackets of flow collections nest, at most; those in quotes and comments count too, which harms nobody. */
function bracketDepth(text: string): { readonly depth: number; readonly at: number } {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '[' || character === '{') depth += 1;
    if ((character === ']' || character === '}') && depth > 0) depth -= 1;
    if (depth > MAX_DEPTH) return { depth, at };
  }
  return { depth, at: 0 };
}

function refuseWhatMisleads(document: Document.Parsed, place: Place, allowedTags: readonly string[]): void {
  const refuse = (node: ParsedNode, message: string) => {
    throw place.error(node.range[0], message);
  };
  visit(document, {
    Alias: (_, node) => refuse(node as ParsedNode, 'aliases are not allowed; write the value out'),
    Node: (_, node, path) => {
      const { tag } = node as { tag?: string };
      if (tag && !allowedTags.includes(tag)) refuse(node as ParsedNode, `the tag ${tag} is not allowed`);
      if (path.length > 2 * MAX_DEPTH) refuse(node as ParsedNode, `nested deeper than ${MAX_DEPTH} levels`);
    },
    // The library's own check compares each key with all others.
    Map: (_, { items }) => {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) refuse(key as ParsedNode, 'a key must be a plain text');
        else if (key.value === '<<' && key.type === 'PLAIN')
          refuse(key as ParsedNode, 'merge keys are not allowed; write the keys out');
        else if (key.value === PROTOTYPE)
          refuse(key as ParsedNode, `the key "${PROTOTYPE}" is not allowed: it would be lost on the way`);
        else if (seen.has(String(key.value)))
          refuse(key as ParsedNode, `the key "${String(key.value)}" stands here a second time`);
        else seen.add(String(key.value));
      }
    },
  });
}

function parse(text: string, place: Place, lineCounter: LineCounter, { scalars }: YamlOptions): Document.Parsed {
  const nested = bracketDepth(text);
  if (nested.at > 0) {
    lineCounter.addNewLine(0);
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineCounter.addNewLine(at + 1);
    throw place.error(nested.at, `nested deeper than ${MAX_DEPTH} levels`);
  }
  const schema = scalars === 'text' ? 'failsafe' : 'core';
  try {
    return parseDocument(text, { version: '1.2', schema, lineCounter, uniqueKeys: false });
  } catch (cause) {
    throw place.error(0, 'nested too deeply, or not YAML at all', cause);
  }
}

function plainValue(node: unknown): unknown {
  if (node === null) return null;
  if (isMap(node)) {
    return Object.fromEntries(
      node.items.map(({ key, value }) => [String(isScalar(key) ? key.value : key), plainValue(value)]),
    );
  }
  if (isScalar(node))
    return { scalar: String(node.source ?? node.value ?? ''), isPlain: node.type === 'PLAIN' } satisfies YamlScalar;
  const { items } = node as { items?: readonly unknown[] };
  return items ? items.map(plainValue) : node;
}

/** The library's message without the place, which we tell, and the excerpt. */
function describe(message: string): string {
  const [first = ''] = message.split('\n');
  const text = first.replace(/ at line \d+, column \d+:?$/, '').replace(/; please use YAML\..*$/, '; only one is read');
  return /call stack/.test(text) ? 'nested too deeply' : text;
}

/** @param bytes the file @param file its name, for messages. @throws ConfigError CONFIG_SYNTAX with line and column */
export function parseYaml(bytes: Buffer, file: string, options: YamlOptions): YamlDocument {
  const text = decode(bytes, file);
  const lines = new LineCounter();
  const place = new Place(file, lines);
  const document = parse(text, place, lines, options);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw place.error(problem.pos[0], describe(problem.message), problem);
  if (document.directives?.yaml.explicit) throw place.error(0, 'directives are not allowed');
  refuseWhatMisleads(document, place, ALLOWED_TAGS[options.scalars]);
  return {
    value: options.scalars === 'text' ? plainValue(document.contents) : document.toJS(),
    ...placesIn(document, place),
  };
}

function placesIn(document: Document.Parsed, place: Place): Pick<YamlDocument, 'lineOf' | 'lineOfKey'> {
  const nodeAt = (path: readonly PropertyKey[]) => (path.length === 0 ? document.contents : document.getIn(path, true));
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = nodeAt(path.slice(0, length));
      const offset = isNode(node) ? node.range?.[0] : undefined;
      if (offset !== undefined) return place.lineAt(offset);
    }
    return 1;
  };
  return {
    lineOf,
    lineOfKey(path, key) {
      const map = nodeAt(path);
      const pair = isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
      const offset = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
      return offset === undefined ? lineOf(path) : place.lineAt(offset);
    },
  };
}
