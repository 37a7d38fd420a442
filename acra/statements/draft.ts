/** Collects the changes to one statement: edits at byte offsets of its text, and what its parameters are used for. */

import type { Node, RangeVar, ScanToken, TypeName } from 'libpg-query';
import { identifier } from '../../postgres/sql-names.ts';
import type { DataType } from '../encryptor-config/data-types.ts';
import { databaseTypeOf } from '../encryptor-config/database-type.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import type { ParsedText } from './parser.ts';
import { Refusal } from './refusal.ts';
import type { RefusalKind } from './refusal-kinds.ts';
import { allOf, as, type BodyOf, builtInName } from './tree.ts';
import { isOfEach, type ParameterCopy, type ParameterUses, type ValueUse } from './value-use.ts';

/** What stands in the text from byte `start` up to (without) `end` is replaced. */
export type Edit = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'text'; readonly text: string }
  /** A parameter that becomes the one with this place among the copies (value-use.ts). */
  | { readonly kind: 'parameter'; readonly copy: number }
  | LiteralEdit
);

/** A literal for a protected column. */
export interface LiteralEdit {
  readonly kind: 'literal';
  readonly use: ValueUse;
  /** What it stands for in PostgreSQL. */
  readonly value: string;
  /** The literal itself; of a number only the digits. */
  readonly token: string;
}

/**
 * Who gets the values: acra-server in line, which reads the statement itself and leaves its casts, or an engine, which sees values only.
 */
export type Reader = 'acra-server' | 'engine';

/** What a cast to a column's type is called in the parse tree. */
const OWN_TYPES: Readonly<Record<DataType, readonly string[]>> = {
  str: ['text', 'varchar'],
  bytes: [],
  int32: ['int2', 'int4', 'int8'],
  int64: ['int2', 'int4', 'int8'],
};

/** A literal in one piece: digits, or a string without more strings on the lines below that belong to it. */
function isPlainLiteral(token: string, value: string): boolean {
  if (/^e'/i.test(token)) return !/'\s*\n\s*'/.test(token);
  return token.startsWith("'") ? token.slice(1, -1).replaceAll("''", "'") === value : /^\d+$/.test(token);
}

/** What stands between it and its sign would remain: `- (1)`, `- - 1`. */
const isNumber = (token: string) => /^[\d.]/.test(token);

const isSameUse = (a: ValueUse, b: ValueUse) => a.column === b.column && a.role === b.role;

const isWord = (token: ScanToken | undefined, word: string) => token?.text.toLowerCase() === word;

const isUescape = (word: string) => word.toUpperCase() === 'UESCAPE';

/** Of what the reader cannot do with a statement. */
const STATES: Readonly<Record<Reader, string>> = { 'acra-server': '42000', engine: '0A000' };

interface ParameterUse extends ParameterCopy {
  readonly start: number;
  readonly end: number;
}

export class Draft {
  readonly #text: ParsedText;
  readonly #reader: Reader;
  readonly #edits: Edit[] = [];
  /** Where values stand. */
  readonly #taken = new Set<number>();
  /** Of parameters for protected columns, by the byte at which each stands. */
  #uses = new Map<number, ParameterUse>();
  #starts: Map<number, number> | undefined;

  constructor(text: ParsedText, reader: Reader) {
    this.#text = text;
    this.#reader = reader;
  }

  /** Plans to replace a literal, or notes a parameter, that is for a protected column. @throws Refusal for any other expression */
  takeValue(node: Node | undefined, use: ValueUse): void {
    const [constant, parameter, cast] = [as(node, 'A_Const'), as(node, 'ParamRef'), as(node, 'TypeCast')];
    if (parameter) this.#takeParameter(parameter, use);
    else if (cast && this.takeCast(cast, use.column, isOfEach(use))) this.takeValue(cast.arg, use);
    else if (constant && !constant.isnull) this.#takeLiteral(constant, use);
    else if (!constant)
      throw this.#refusal(
        'value-hidden',
        `the value for column "${use.column.name}" is neither a literal nor a parameter`,
      );
  }

  /** Plans to replace a part of the text. */
  replace(start: number, end: number, text: string): void {
    this.#edits.push({ kind: 'text', start, end, text });
  }

  /** Where nothing else says of what type it is. */
  takeNull({ location }: BodyOf<'A_Const'>, column: EncryptedColumn): void {
    const end = this.tokensFrom(location, 1)[0]?.end;
    const { name } = databaseTypeOf(column);
    if (end !== undefined) this.#edits.push({ kind: 'text', start: end, end, text: `::${name}` });
  }

  /** @returns whether what is cast keeps its meaning with what the database has: a cast to the type of the values becomes one to the type of these */
  takeCast({ typeName, location }: BodyOf<'TypeCast'>, column: EncryptedColumn, isArray = false): boolean {
    if (this.#reader === 'acra-server') {
      const isPlain = !typeName?.typmods && !typeName?.arrayBounds && builtInName(typeName?.names) === 'bytea';
      return isPlain && this.tokensFrom(location, 1)[0]?.text === '::';
    }
    return typeName !== undefined && this.takeType(typeName, column, isArray);
  }

  /** The same for the type alone. One of another schema is another type, which may run code. */
  takeType(
    { names, typmods, arrayBounds = [], location }: TypeName,
    column: EncryptedColumn,
    isArray = false,
  ): boolean {
    const type = builtInName(names) ?? '';
    const { name } = databaseTypeOf(column);
    if (typmods || arrayBounds.length !== +isArray) return false;
    if (type === name) return true;
    if (!OWN_TYPES[column.dataType ?? 'bytes'].includes(type)) return false;
    const tokens = this.tokensFrom(location, 4);
    const [first, second, third] = isWord(tokens[0], 'national') ? [tokens[0], ...tokens.slice(2)] : tokens;
    const isQualified = second?.text === '.';
    const last = isQualified ? third : isWord(second, 'varying') ? second : first;
    if (!first || !last) return false;
    this.#edits.push({ kind: 'text', start: first.start, end: last.end, text: name });
    return true;
  }

  /** Where `*` or `relation.*` stands, and what is written before the star; undefined where none is, as in TABLE. */
  starAt({ location = -1, fields = [] }: BodyOf<'ColumnRef'>) {
    const tokens = this.tokensFrom(location, 2 * fields.length - 1);
    const [first, last] = [tokens[0], tokens.at(-1)];
    if (!first || last?.text !== '*') return undefined;
    const before = tokens.slice(0, -1).map(({ text }) => text);
    return { start: first.start, end: last.end, before: before.join('') };
  }

  /** Plans to replace a column by the hash in its first 33 bytes; tokens are compared as they are. */
  takeSearchColumn({ location = 0, fields = [] }: BodyOf<'ColumnRef'>, { token }: EncryptedColumn): void {
    if (token) return;
    const end = this.tokensFrom(location, 2 * fields.length - 1).at(-1)?.end ?? location;
    this.#edits.push(
      { kind: 'text', start: location, end: location, text: 'substr(' },
      { kind: 'text', start: end, end, text: ', 1, 33)' },
    );
  }

  /** Where the parts of a list in parentheses begin. @param location of the parenthesis */
  startsIn(location = 0): number[] {
    const starts: number[] = [];
    let depth = 0;
    let isStart = false;
    for (const { text, start } of this.#following(location)) {
      if (isStart) starts.push(start);
      isStart = (text === '(' && depth === 0) || (text === ',' && depth === 1);
      depth += Number(text === '(' || text === '[') - Number(text === ')' || text === ']');
      if (depth === 0) break;
    }
    return starts;
  }

  /** Plans to name the columns of a relation behind its own name, or the other one that it has there, as COPY and INSERT take them. */
  nameColumns({ location = 0, alias }: RangeVar, names: readonly string[]): void {
    const tokens = this.tokensFrom(location);
    let last = 0;
    for (;;) {
      if (isUescape(tokens[last + 1]?.text ?? '')) last += 2;
      if (tokens[last + 1]?.text !== '.') break;
      last += 2;
    }
    if (alias) last += 2;
    if (isUescape(tokens[last + 1]?.text ?? '')) last += 2;
    const end = tokens[last]?.end;
    if (end === undefined) throw this.#refusal('copy', 'the columns must be named');
    const list = names.map(identifier).join(', ');
    this.#edits.push({ kind: 'text', start: end, end, text: ` (${list})` });
  }

  /** All edits in order. Parameters must have been taken. */
  finish(): readonly Edit[] {
    return this.#edits.toSorted((a, b) => a.start - b.start);
  }

  /**
   * What parameters so far are used for. One that stands elsewhere too keeps its value there, and gets a copy for each further use.
   * @param tree what has parameters of its own; default: all statements together
   * @throws Refusal where acra-server would have to know of the copy
   */
  takeParameters(tree: unknown = this.#text.statements): ParameterUses {
    const uses = [...this.#uses.values()];
    if (uses.length === 0) return { parameters: new Map(), copies: [] };
    const others = allOf(tree, 'ParamRef').filter(({ location = 0 }) => !this.#uses.has(location));
    this.#uses = new Map();
    const isPlain = new Set(others.map(({ number = 0 }) => number));
    const parameters = new Map<number, ValueUse>();
    const copies: ParameterCopy[] = [];
    for (const { of, use, start, end } of uses) {
      const first = parameters.get(of);
      if (!isPlain.has(of)) parameters.set(of, first ?? use);
      if (!isPlain.has(of) && isSameUse(first ?? use, use)) continue;
      if (this.#reader === 'acra-server') {
        throw this.#refusal('value-shared', 'one parameter is used for a protected column and for something else');
      }
      const known = copies.findIndex((copy) => copy.of === of && isSameUse(copy.use, use));
      const copy = known >= 0 ? known : copies.push({ of, use }) - 1;
      this.#edits.push({ kind: 'parameter', start, end, copy });
    }
    return { parameters, copies };
  }

  /** One value cannot be two. */
  #requireOnce(location: number): void {
    if (this.#taken.has(location))
      throw this.#refusal('value-shared', 'one value is stored in several protected columns');
    this.#taken.add(location);
  }

  #takeParameter({ number = 0, location = 0 }: BodyOf<'ParamRef'>, use: ValueUse): void {
    this.#requireOnce(location);
    const end = this.tokensFrom(location, 1)[0]?.end ?? location;
    this.#uses.set(location, { of: number, use, start: location, end });
  }

  #refusal(kind: RefusalKind, reason: string): Refusal {
    return new Refusal(kind, reason, STATES[this.#reader]);
  }

  #takeLiteral({ sval, ival, fval, location = 0 }: BodyOf<'A_Const'>, use: ValueUse): void {
    this.#requireOnce(location);
    const [token, next, character] = this.tokensFrom(location, 3);
    const value = sval ? (sval.sval ?? '') : ival ? String(ival.ival ?? 0) : fval?.fval;
    if (value === undefined || !token || (isOfEach(use) && !sval)) throw this.#unreadable(use);
    const last = (token.text === '-' ? next : next && isUescape(next.text) ? character : token) ?? token;
    const isWhole = sval !== undefined || isNumber(last.text);
    if (!isWhole || (this.#reader === 'acra-server' && !isPlainLiteral(last.text, value))) throw this.#unreadable(use);
    this.#edits.push({ kind: 'literal', start: location, end: last.end, use, value, token: last.text });
    if (this.#reader === 'engine') {
      const text = `::${databaseTypeOf(use.column).name}${isOfEach(use) ? '[]' : ''}`;
      this.#edits.push({ kind: 'text', start: last.end, end: last.end, text });
    }
  }

  #unreadable({ column: { name } }: ValueUse): Refusal {
    const reason = this.#reader === 'engine' ? 'is none for its type' : 'has a form that acra-server does not read';
    return this.#refusal('value-hidden', `the literal for column "${name}" ${reason}`);
  }

  *#following(location: number): Generator<ScanToken> {
    const tokens = this.#text.tokens();
    for (let index = this.#indexOf(location), token = tokens[index]; token; token = tokens[index]) {
      yield token;
      index += 1;
    }
  }

  #indexOf(location: number): number {
    const tokens = this.#text.tokens();
    this.#starts ??= new Map(tokens.map(({ start }, index) => [start, index]));
    return this.#starts.get(location) ?? tokens.length;
  }

  /** All that begin at the byte offset, or behind it. */
  tokensAfter(offset: number): ScanToken[] {
    return this.#text.tokens().filter(({ start }) => start >= offset);
  }

  /** Up to `count` tokens from the one at the byte offset on; none where no token begins. */
  tokensFrom(location = 0, count = Number.POSITIVE_INFINITY): ScanToken[] {
    const index = this.#indexOf(location);
    return this.#text.tokens().slice(index, index + count);
  }
}
