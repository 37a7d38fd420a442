/**
 * Reads the YAML of an encryptor configuration and remembers where everything stood. YAML 1.1, because acra-server's
 * reader takes it so (`yes` is true, `010` is eight); aliases and duplicate keys, which it accepts, are refused.
 */
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { EncryptorError } from '../errors.ts';

export interface EncryptorDocument {
  readonly value: unknown;
  /** 1-based line of a place, or of the nearest place around it that exists. */
  lineOf(path: readonly PropertyKey[]): number;
  /** 1-based line of a key itself in the map at `path`. */
  lineOfKey(path: readonly PropertyKey[], key: string): number;
}

function syntax(
  fileName: string,
  lines: LineCounter,
  offset: number,
  message: string,
  cause?: unknown,
): EncryptorError {
  const { line, col } = lines.linePos(offset);
  const details = cause === undefined ? {} : { cause };
  return new EncryptorError('ENCRYPTOR_SYNTAX', `${fileName}:${line}:${col}: ${message}`, details);
}

/** @throws EncryptorError ENCRYPTOR_SYNTAX */
export function parseEncryptorDocument(text: string, fileName: string): EncryptorDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.1', lineCounter: lines, uniqueKeys: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem)
    throw syntax(fileName, lines, problem.pos[0], problem.message.split('\n')[0] ?? 'not valid YAML', problem);

  const offsetAt = (path: readonly PropertyKey[]): number | undefined => {
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    return isNode(node) ? node.range?.[0] : undefined;
  };
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const offset = offsetAt(path.slice(0, length));
      if (offset !== undefined) return lines.linePos(offset).line;
    }
    return 1;
  };
  return {
    value: withoutAliases(() => document.toJS({ maxAliasCount: 0 }), fileName),
    lineOf,
    lineOfKey(path, key) {
      const map = path.length === 0 ? document.contents : document.getIn(path, true);
      const pair = isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
      const offset = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
      return offset === undefined ? lineOf(path) : lines.linePos(offset).line;
    },
  };
}

function withoutAliases(convert: () => unknown, fileName: string): unknown {
  try {
    return convert();
  } catch (cause) {
    throw new EncryptorError('ENCRYPTOR_SYNTAX', `${fileName}: aliases are not allowed`, { cause });
  }
}
