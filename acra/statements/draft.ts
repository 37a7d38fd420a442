/** Collects the changes to one statement: edits at byte offsets of its text, and what its parameters are used for. */
import type { Node, ScanToken } from 'libpg-query';
import type { DataType } from '../encryptor-config/data-types.ts';
import type { ParsedText } from './parser.ts';
import { Refusal } from './refusal.ts';
import { allOf, as, type BodyOf, stringsOf } from './tree.ts';
import type { ValueUse } from './value-use.ts';

/** What stands in the text from byte `start` up to (without) `end` is replaced. */
export type Edit = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'text'; readonly text: string }
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

export class Draft {
  readonly parameters = new Map<number, ValueUse>();
  readonly #text: ParsedText;
  readonly #reader: Reader;
  readonly #edits: Edit[] = [];
  readonly #uses: number[] = [];
  #starts: Map<number, number> | undefined;

  constructor(text: ParsedText, reader: Reader) {
    this.#text = text;
    this.#reader = reader;
  }

  /** Plans to replace a literal, or notes a parameter, that is for a protected column. @throws Refusal for any other expression */
  takeValue(node: Node | undefined, use: ValueUse): void {
    const [constant, parameter, cast] = [as(node, 'A_Const'), as(node, 'ParamRef'), as(node, 'TypeCast')];
    if (parameter) this.#takeParameter(parameter.number ?? 0, use);
    else if (cast && this.#takeCast(cast, use)) this.takeValue(cast.arg, use);
    else if (constant && !constant.isnull) this.#takeLiteral(constant, use);
    else if (!constant)
      throw new Refusal(`the value for column "${use.column.name}" is neither a literal nor a parameter`);
  }

  /** @returns whether the value keeps its meaning where the database has bytea: a cast to the column's own type becomes one to bytea */
  #takeCast({ typeName, location }: BodyOf<'TypeCast'>, { column }: ValueUse): boolean {
    const type = stringsOf(typeName?.names).at(-1) ?? '';
    if (this.tokensFrom(location, 1)[0]?.text !== '::' || typeName?.typmods || typeName?.arrayBounds) return false;
    if (type === 'bytea') return true;
    if (this.#reader !== 'engine' || !OWN_TYPES[column.dataType ?? 'bytes'].includes(type)) return false;
    const [first, second] = this.tokensFrom(typeName?.location, 2);
    const last = second?.text.toLowerCase() === 'varying' ? second : first;
    if (!first || !last) return false;
    this.#edits.push({ kind: 'text', start: first.start, end: last.end, text: 'bytea' });
    return true;
  }

  /** Plans to replace a column by the hash in its first 33 bytes. */
  takeSearchColumn({ location = 0, fields = [] }: BodyOf<'ColumnRef'>): void {
    const end = this.tokensFrom(location, 2 * fields.length - 1).at(-1)?.end ?? location;
    this.#edits.push(
      { kind: 'text', start: location, end: location, text: 'substr(' },
      { kind: 'text', start: end, end, text: ', 1, 33)' },
    );
  }

  /** All edits in order. @throws Refusal when a parameter for a protected column stands somewhere else as well */
  finish(): readonly Edit[] {
    const all = allOf(this.#text.statements, 'ParamRef').filter(({ number = 0 }) => this.parameters.has(number));
    if (all.length !== this.#uses.length) throw this.#mixedUse();
    return this.#edits.toSorted((a, b) => a.start - b.start);
  }

  #takeParameter(number: number, use: ValueUse): void {
    const other = this.parameters.get(number) ?? use;
    if (other.column !== use.column || other.role !== use.role) throw this.#mixedUse();
    this.parameters.set(number, use);
    this.#uses.push(number);
  }

  #mixedUse(): Refusal {
    return new Refusal('one parameter is used for a protected column and for something else');
  }

  #takeLiteral({ sval, ival, fval, location = 0 }: BodyOf<'A_Const'>, use: ValueUse): void {
    const [token, next] = this.tokensFrom(location, 2);
    const last = token?.text === '-' ? next : token;
    const value = sval ? (sval.sval ?? '') : ival ? String(ival.ival ?? 0) : fval?.fval;
    if (value === undefined || !last || !isPlainLiteral(last.text, value)) {
      throw new Refusal(`the literal for column "${use.column.name}" has a form that acra-server does not read`);
    }
    this.#edits.push({ kind: 'literal', start: location, end: last.end, use, value, token: last.text });
  }

  /** Up to `count` tokens from the one at the byte offset on; none where no token begins. */
  tokensFrom(location = 0, count = Number.POSITIVE_INFINITY): ScanToken[] {
    const tokens = this.#text.tokens();
    this.#starts ??= new Map(tokens.map(({ start }, index) => [start, index]));
    const index = this.#starts.get(location);
    return index === undefined ? [] : tokens.slice(index, index + count);
  }
}
