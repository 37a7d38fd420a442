/** Collects the changes to one statement: edits at byte offsets of its text, and what its parameters are used for. */
import type { Node, ScanToken } from 'libpg-query';
import { scanSql } from './parser.ts';
import { Refusal } from './refusal.ts';
import { allOf, as, type BodyOf, stringsOf } from './tree.ts';
import { encodeBytea, protectValue, type ValueCipher, type ValueUse } from './values.ts';

/** A literal in one piece: digits, or a string without more strings on the lines below that belong to it. */
function isPlainLiteral(token: string, value: string): boolean {
  if (/^e'/i.test(token)) return !/'\s*\n\s*'/.test(token);
  return token.startsWith("'") ? token.slice(1, -1).replaceAll("''", "'") === value : /^\d+$/.test(token);
}

export class Draft {
  readonly parameters = new Map<number, ValueUse>();
  readonly #sql: string;
  readonly #cipher: ValueCipher;
  readonly #edits: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  readonly #uses: number[] = [];
  #tokens: ScanToken[] | undefined;
  #starts: Map<number, number> | undefined;

  constructor(sql: string, cipher: ValueCipher) {
    this.#sql = sql;
    this.#cipher = cipher;
  }

  /** Replaces a literal, or notes a parameter, that is for a protected column. @throws Refusal for any other expression */
  takeValue(node: Node | undefined, use: ValueUse): void {
    const [constant, parameter, cast] = [as(node, 'A_Const'), as(node, 'ParamRef'), as(node, 'TypeCast')];
    const isByteaCast =
      stringsOf(cast?.typeName?.names).at(-1) === 'bytea' && this.tokensFrom(cast?.location, 1)[0]?.text === '::';
    if (parameter) this.#takeParameter(parameter.number ?? 0, use);
    else if (cast && isByteaCast) this.takeValue(cast.arg, use);
    else if (constant && !constant.isnull) this.#takeLiteral(constant, use);
    else if (!constant)
      throw new Refusal(`the value for column "${use.column.name}" is neither a literal nor a parameter`);
  }

  /** Replaces a column by the hash in its first 33 bytes. */
  takeSearchColumn({ location = 0, fields = [] }: BodyOf<'ColumnRef'>): void {
    const end = this.tokensFrom(location, 2 * fields.length - 1).at(-1)?.end ?? location;
    this.#edits.push({ start: location, end: location, text: 'substr(' }, { start: end, end, text: ', 1, 33)' });
  }

  /** The changed text. @throws Refusal when a parameter for a protected column stands somewhere else as well */
  finish(tree: unknown): Buffer {
    const all = allOf(tree, 'ParamRef').filter(({ number = 0 }) => this.parameters.has(number));
    if (all.length !== this.#uses.length) throw this.#mixedUse();
    const sql = Buffer.from(this.#sql);
    let at = 0;
    const parts = this.#edits
      .toSorted((a, b) => a.start - b.start)
      .flatMap(({ start, end, text }) => {
        const before = sql.subarray(at, start);
        at = end;
        return [before, Buffer.from(text)];
      });
    return Buffer.concat([...parts, sql.subarray(at)]);
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
    const stored = protectValue(this.#cipher, use, Buffer.from(value), false);
    this.#edits.push({ start: location, end: last.end, text: `'${encodeBytea(stored)}'` });
  }

  /** Up to `count` tokens from the one at the byte offset on; none where no token begins. */
  tokensFrom(location = 0, count = Number.POSITIVE_INFINITY): ScanToken[] {
    this.#tokens ??= scanSql(this.#sql);
    this.#starts ??= new Map(this.#tokens.map(({ start }, index) => [start, index]));
    const index = this.#starts.get(location);
    return index === undefined ? [] : this.#tokens.slice(index, index + count);
  }
}
