/**
 * Values of every kind, in every kind of column, on every way into and out of acra-server; and what became of them, written so
 * that it does not depend on keys. The real acra-server's answers are test/vectors/acra/acra-0.96.0-values.json.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeAcraBlock, encodeContainer, searchHash } from '../../../../acra/container.ts';
import { themis } from '../../../../acra/keystore/themis.ts';
import { Cipher, type CipherOptions } from '../../../../emulator/acra-server/cipher.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import { errorFields, type Frame, client as frames } from './frames.ts';
import { rawSession } from './raw-client.ts';
import type { AcraOptions, Rig } from './rig.ts';
import { containerKinds, MIN_PIECE_BYTES, piecesOf, TEXTS, type Value } from './value-kinds.ts';

/** Columns with their settings; `none`: without a data type. */
const COLUMNS = {
  str: 'data_type: str',
  bytes: 'data_type: bytes',
  none: '',
  search_str: 'data_type: str\n        searchable: true',
  search_none: 'searchable: true',
  default_str: 'data_type: str\n        response_on_fail: default_value\n        default_data_value: instead',
  default_bytes: 'data_type: bytes\n        response_on_fail: default_value\n        default_data_value: AAEC',
  of_bob: 'data_type: str\n        client_id: BOB',
} as const;
/** What became of each case, by its name. */
export type Outcomes = Record<string, string>;
type ColumnName = keyof typeof COLUMNS;
const COLUMN_NAMES = Object.keys(COLUMNS) as ColumnName[];
const PATHS = ['literal', 'escape literal', 'text parameter', 'binary parameter'] as const;
type Path = (typeof PATHS)[number];

/** A rig with a table that has a column of each kind. */
export class ValueRig {
  readonly #rig: Rig;
  readonly #options: CipherOptions;
  readonly #configFile: string;

  private constructor(rig: Rig, options: CipherOptions) {
    this.#rig = rig;
    this.#options = options;
    this.#configFile = join(rig.keysFolder, '..', 'kinds.yaml');
  }

  static async prepare(rig: Rig): Promise<ValueRig> {
    const options = { themis, keyring: await rig.keyring(), random: systemRandom };
    const own = new ValueRig(rig, { ...options, onPoisonRecord: undefined });
    const columns = Object.entries(COLUMNS).map(([name, settings]) =>
      `      - column: ${name}\n        ${settings}`.trimEnd().replace('BOB', rig.clientId('bob')),
    );
    const names = ['id', 'other', ...COLUMN_NAMES].join(', ');
    writeFileSync(
      own.#configFile,
      `schemas:\n  - table: kinds\n    columns: [${names}]\n    encrypted:\n${columns.join('\n')}\n`,
    );
    const types = COLUMN_NAMES.map((name) => `${name} bytea`).join(', ');
    await rig.direct((database) => database.query(`CREATE TABLE kinds (id int PRIMARY KEY, other bytea, ${types})`));
    return own;
  }

  /** To start a program with. */
  get options(): AcraOptions {
    return { moreArguments: [`--encryptor_config_file=${this.#configFile}`] };
  }

  #key(purpose: 'storage-symmetric' | 'search-hmac', client: string): Buffer {
    return this.#options.keyring.keys(purpose, this.#rig.clientId(client))[0] ?? Buffer.alloc(0);
  }

  block(plaintext: Buffer, client = 'alice'): Buffer {
    return encodeAcraBlock(this.#options.themis, this.#key('storage-symmetric', client), plaintext, systemRandom);
  }

  container(plaintext: string | Buffer, client = 'alice'): Buffer {
    return encodeContainer('acrablock', this.block(Buffer.from(plaintext as string), client));
  }

  hash(plaintext: string | Buffer, client = 'alice'): Buffer {
    return searchHash(this.#key('search-hmac', client), Buffer.from(plaintext as string));
  }

  values(): Value[] {
    const patterns = [0x00, 0x22, 0x25, 0x7f, 0xff].flatMap((byte) =>
      [1, 12, 13, 34, 64].map((length) => Buffer.alloc(length, byte)),
    );
    return [
      ...TEXTS.map((text) => ({ name: JSON.stringify(text), bytes: Buffer.from(text), isBinary: false })),
      ...patterns.map((bytes) => ({ name: `${bytes.length} × 0x${bytes[0]?.toString(16)}`, bytes, isBinary: true })),
      ...Object.entries(containerKinds(this)).map(([name, bytes]) => ({ name, bytes, isBinary: true })),
    ];
  }

  /** What the bytes are, in words that do not depend on keys. @param value what was sent, or is stored */
  describe(bytes: Buffer | null | undefined, value: Buffer): string {
    if (!bytes) return bytes === null ? 'NULL' : 'nothing';
    if (value.length > 0 && bytes.equals(value)) return 'the same';
    for (const client of ['alice', 'bob']) {
      const cipher = new Cipher(this.#options, this.#rig.clientId(client));
      const hash = bytes.subarray(0, 33);
      for (const at of [0, 33]) {
        const { bytes: plaintext, hasOpened } = cipher.reveal(bytes.subarray(at));
        const isWhole = hasOpened && bytes.subarray(at, at + 3).toString() === '%%%';
        if (isWhole && (at === 0 || cipher.isHashOf(hash, plaintext))) {
          return `${at ? 'searchable' : 'container'} of ${client}'s: ${this.describe(plaintext, value)}`;
        }
      }
    }
    const plaintext = ['value', 'of bob'].find((text) => bytes.subarray(0, 33).equals(this.hash(text)));
    if (plaintext && bytes.length > 33) return `hash of ${plaintext}, ${this.describe(bytes.subarray(33), value)}`;
    const hex = /^\\x((?:[0-9a-f]{2})*)$/.exec(bytes.toString('latin1'))?.[1];
    if (hex && hex.length >= 2 * MIN_PIECE_BYTES) return `hex of ${this.describe(Buffer.from(hex, 'hex'), value)}`;
    return piecesOf(bytes, value);
  }

  /** Stores each value on each way. @returns by `column, path, value`: what is stored, or the SQLSTATE */
  async write(acra: { readonly port: number }): Promise<Outcomes> {
    const session = await rawSession(this.#rig.config(acra));
    const outcomes: Outcomes = {};
    const cases = COLUMN_NAMES.flatMap((column) =>
      this.values().flatMap((value) => PATHS.map((path) => ({ column, value, path }))),
    );
    const errors: (string | undefined)[] = [];
    for (const [id, { column, value, path }] of cases.entries()) {
      errors[id] = errorIn(await session.pipeline(insertion(id, column, path, value), 1));
    }
    session.end();
    const { rows } = await this.#rig.direct((database) => database.query('SELECT * FROM kinds'));
    const stored = new Map(rows.map((row) => [row.id, row]));
    for (const [id, { column, value, path }] of cases.entries()) {
      const bytes: Buffer | null | undefined = stored.get(id)?.[column];
      outcomes[`${column}, ${path}, ${value.name}`] = errors[id] ?? this.describe(bytes, value.bytes);
    }
    await this.#rig.direct((database) => database.query('TRUNCATE kinds'));
    return outcomes;
  }

  /** Compares a searchable column with each value. @returns by `operator, path, value`: which rows are found, or the SQLSTATE */
  async search(acra: { readonly port: number }): Promise<Outcomes> {
    const rows = { value: 'value', 'ab\u00e9': 'abé', abc: 'abc', 'empty hashed': '' };
    const searchable = Object.values(rows).map((text) =>
      Buffer.concat([this.hash(text), text ? this.container(text) : Buffer.alloc(0)]),
    );
    const stored = [
      ...searchable,
      Buffer.alloc(0),
      Buffer.concat([this.hash('value', 'bob'), this.container('value', 'bob')]),
    ];
    await this.#rig.direct(async (database) => {
      for (const [id, bytes] of stored.entries()) {
        await database.query('INSERT INTO kinds (id, search_str) VALUES ($1, $2)', [id, bytes]);
      }
    });
    const { container, searchable: whole } = containerKinds(this);
    const texts = ['value', '', 'abé', '\\x616263', 'abc', 'a\\142c', 'nobody', 'line\nbreak'];
    const values: Value[] = [
      ...texts.map((text) => ({ name: JSON.stringify(text), bytes: Buffer.from(text), isBinary: false })),
      { name: 'container', bytes: container ?? Buffer.alloc(0), isBinary: true },
      { name: 'searchable', bytes: whole ?? Buffer.alloc(0), isBinary: true },
    ];
    const session = await rawSession(this.#rig.config(acra));
    const outcomes: Outcomes = {};
    for (const operator of ['=', '<>']) {
      for (const value of values) {
        for (const path of PATHS) {
          const sql = (literal: string) => `SELECT id FROM kinds WHERE search_str ${operator} ${literal} ORDER BY id`;
          const answers = await session.pipeline(statement(sql, path, value), 1);
          const found = answers.flatMap(({ type, body }) => (type === 'D' ? String(firstCell(body)) : []));
          outcomes[`${operator}, ${path}, ${value.name}`] = errorIn(answers) ?? `rows ${found.join(' ')}`;
        }
      }
      const bind = frames.bind('', [null]);
      const messages = [
        frames.parse('', `SELECT id FROM kinds WHERE search_str ${operator} $1`),
        bind,
        frames.execute(),
        frames.sync,
      ];
      const found = (await session.pipeline(messages, 1)).filter(({ type }) => type === 'D').length;
      outcomes[`${operator}, text parameter, NULL`] = `${found} rows`;
    }
    session.end();
    await this.#rig.direct((database) => database.query('TRUNCATE kinds'));
    return outcomes;
  }

  /** Reads each kind of stored bytes from each column. @returns by `column, format, value`: what the client gets */
  async read(acra: { readonly port: number }): Promise<Outcomes> {
    const outcomes: Outcomes = {};
    const columns = ['other', ...COLUMN_NAMES];
    const stored = this.values().filter(({ bytes }) => bytes.length > 0);
    const insert = `INSERT INTO kinds (id, ${columns.join(', ')}) VALUES ($1, ${columns.map(() => '$2').join(', ')})`;
    await this.#rig.direct(async (database) => {
      for (const [id, { bytes }] of stored.entries()) await database.query(insert, [id, bytes]);
    });
    for (const [id, { name, bytes }] of stored.entries()) {
      let session = await rawSession(this.#rig.config(acra));
      for (const column of columns) {
        for (const format of ['text', 'binary'] as const) {
          const answers = await session.pipeline(selection(id, column, format), 1).catch(() => undefined);
          const row = answers?.find(({ type }) => type === 'D');
          const seen = row && this.describe(firstCell(row.body), bytes);
          const failure = answers ? (errorIn(answers) ?? 'no row') : 'the session ends';
          outcomes[`${column}, ${format}, ${name}`] = seen ?? failure;
          if (!answers) session = await rawSession(this.#rig.config(acra));
        }
      }
      session.end();
    }
    await this.#rig.direct((database) => database.query('TRUNCATE kinds'));
    return outcomes;
  }
}

function firstCell(body: Buffer): Buffer | null {
  const length = body.readInt32BE(2);
  return length === -1 ? null : body.subarray(6, 6 + length);
}

function selection(id: number, column: string, format: 'text' | 'binary'): Frame[] {
  const bind = frames.bind('', [], { resultFormats: [format === 'binary' ? 1 : 0] });
  return [frames.parse('', `SELECT ${column} FROM kinds WHERE id = ${id}`), bind, frames.execute(), frames.sync];
}

/** A statement that takes the value on that way. @param sql makes it of a literal or `$1` */
function statement(sql: (literal: string) => string, path: Path, { bytes, isBinary }: Value): Frame[] {
  const text = isBinary ? `\\x${bytes.toString('hex')}` : bytes.toString();
  const quoted = `'${text.replaceAll("'", "''")}'`;
  if (path === 'literal') return [frames.query(sql(quoted))];
  if (path === 'escape literal') return [frames.query(sql(`E${quoted.replaceAll('\\', '\\\\')}`))];
  const isBinaryParameter = path === 'binary parameter';
  const parameter = isBinaryParameter ? bytes : Buffer.from(text);
  const bind = frames.bind('', [parameter], { formats: [isBinaryParameter ? 1 : 0] });
  return [frames.parse('', sql('$1')), bind, frames.execute(), frames.sync];
}

function insertion(id: number, column: string, path: Path, value: Value): Frame[] {
  return statement((literal) => `INSERT INTO kinds (id, ${column}) VALUES (${id}, ${literal})`, path, value);
}

function errorIn(answers: readonly { readonly type: string; readonly body: Buffer }[]): string | undefined {
  const error = answers.find(({ type }) => type === 'E');
  return error && `error ${errorFields(error.body)['C']}`;
}
