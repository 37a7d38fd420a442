/** Which values an engine is shown, which never, and what a client is told when it fails. */
import t from 'tap';
import { encodeContainer } from '../../../acra/container.ts';
import type { CellKind } from '../../../acra/conversation/value-protector.ts';
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import { EngineError } from '../../../acra/errors.ts';
import { DATA_ROW, encodeMessage } from '../../../postgres/messages.ts';
import { noCounts } from '../../../sessions/guard/guard-counts.ts';
import { EngineProtector } from '../../../sessions/guard/protector.ts';
import { columnOf } from '../../acra/support/columns.ts';
import { outcomeOf } from '../support/outcome.ts';

const STR = columnOf({ searchable: true });
const INT32 = columnOf({ name: 'age', dataType: 'int32' });
const BYTES = columnOf({ name: 'blob', dataType: 'bytes' });

/** Marks what it has seen. */
class FakeEngine {
  readonly shown: string[] = [];
  readonly #failure: unknown;

  constructor(failure?: unknown) {
    this.#failure = failure;
  }

  protect = (of: EncryptedColumn, value: Buffer) => this.#answer(`store ${of.name}`, [value], value);
  keep = (of: EncryptedColumn, stored: Buffer) => this.#answer(`keep ${of.name}`, [stored], stored);
  searchHash = (of: EncryptedColumn, value: Buffer) => this.#answer(`search ${of.name}`, [value], value);
  reveal = (of: EncryptedColumn, cells: readonly Buffer[]) =>
    this.#answer(
      `reveal ${of.name}`,
      cells,
      cells.map((cell) => cell.subarray(1)),
    );

  readonly tokens = {
    tokenFor: (of: EncryptedColumn, value: Buffer) =>
      this.#answer(`token ${of.name}`, [value], Buffer.from(value).reverse()),
    valuesOf: (of: EncryptedColumn, cells: readonly Buffer[]) =>
      this.#answer(
        `values ${of.name}`,
        cells,
        cells.map((cell) => Buffer.from(cell).reverse()),
      ),
  };

  examine = (cells: readonly Buffer[]) => this.#answer('examine', cells, undefined);

  async #answer<Result>(what: string, values: readonly Buffer[], result: Result): Promise<Result> {
    this.shown.push(`${what} ${values.map((value) => value.toString('hex')).join(' ')}`);
    if (this.#failure !== undefined) throw this.#failure;
    return result;
  }
}

function rig(failure?: unknown, findsPoison = true) {
  const engine = new FakeEngine(failure);
  const failures: string[] = [];
  const watched: string[] = [];
  const watch = {
    elsewhere: (count: number) => void watched.push(`${count} elsewhere`),
    contradicted: (reason: string, cells: number) => void watched.push(`${cells} contradicted by ${reason}`),
  };
  const onFailure = ({ code }: EngineError) => void failures.push(code);
  return {
    engine,
    failures,
    watched,
    protector: new EngineProtector(engine, { onFailure, findsPoison, watch, counts: noCounts().values }),
  };
}

const kind = (column: EncryptedColumn | undefined, isBinary = false): CellKind => ({ column, isBinary });
const literal = (column: EncryptedColumn, value: string, role: 'store' | 'search' = 'store') =>
  ({ kind: 'literal', use: { column, role }, value, token: `'${value}'` }) as const;

async function rowsOf(
  protector: EngineProtector,
  kinds: readonly CellKind[],
  rows: readonly (string | Buffer | null)[][],
) {
  const frames = rows.map((row) =>
    DATA_ROW.encode(row.map((cell) => (cell === null ? null : Buffer.from(cell as string)))),
  );
  const read = await protector.rows(frames, () => kinds);
  return {
    isSame: read === frames,
    rows: read.map((frame) => DATA_ROW.decode(frame.subarray(5))[0].map((cell) => cell?.toString('latin1') ?? null)),
  };
}

t.test('shows the engine the cells of protected columns only, those of each column together', async (t) => {
  const { engine, protector } = rig();
  const kinds = [kind(undefined), kind(STR), kind(INT32), kind(STR, true)];
  const { rows } = await rowsOf(protector, kinds, [
    ['\\xff01', '\\xff61', '\\xff0000000a', Buffer.from('\xffb', 'latin1')],
    ['\\xff02', '\\xff63', null, null],
  ]);
  t.same(engine.shown, ['reveal secret ff61 ff62 ff63', 'reveal age ff0000000a']);
  t.same(rows, [
    ['\\xff01', 'a', '10', 'b'],
    ['\\xff02', 'c', null, null],
  ]);
});

t.test('shows it no NULL, nothing empty, and no text that is no bytea', async (t) => {
  const { engine, protector } = rig();
  const { rows } = await rowsOf(
    protector,
    [kind(STR), kind(STR, true), kind(BYTES)],
    [
      [null, '', '\\x'],
      ['\\xzz', null, 'a\\b'],
      ['', null, null],
    ],
  );
  t.same(engine.shown, []);
  t.same(rows, [
    [null, '', '\\x'],
    ['\\xzz', null, 'a\\b'],
    ['', null, null],
  ]);
});

t.test('keeps rows without protected columns byte for byte', async (t) => {
  const { engine, protector } = rig();
  t.ok((await rowsOf(protector, [kind(undefined), kind(undefined, true)], [['\\xff01', 'x']])).isSame);
  t.same(engine.shown, []);
});

t.test('refuses a row that is cut off (08P01)', async (t) => {
  const { protector } = rig();
  const frame = DATA_ROW.encode([Buffer.from('\\xff61')]);
  for (const length of [5, 6, 7, 9, 11, 12]) {
    const cut = outcomeOf(protector.rows([frame.subarray(0, length)], () => [kind(STR)]));
    t.equal(await cut, '08P01', String(length));
  }
});

/** Of the shape of one; nobody's keys open it. */
const CONTAINER = encodeContainer('acrablock', blockOf(150));

function blockOf(bytes: number): Buffer {
  const block = Buffer.alloc(bytes, 0x77);
  block.write('""""');
  block.writeBigUInt64LE(BigInt(bytes - 4), 4);
  for (const type of [12, 15]) block.writeUInt8(0, type);
  return block;
}

t.test('lets containers where none belongs pass as they are, counts them, and shows them to the engine', async (t) => {
  const { engine, protector, watched } = rig();
  const hex = `\\x${CONTAINER.toString('hex')}`;
  const { isSame } = await rowsOf(
    protector,
    [kind(undefined), kind(undefined, true)],
    [
      ['x', CONTAINER],
      [hex, null],
    ],
  );
  t.ok(isSame);
  const stored = `examine ${CONTAINER.toString('hex')}`;
  t.same(engine.shown, [`${stored} ${CONTAINER.toString('hex')}`]);
  const { rows } = await rowsOf(protector, [kind(STR), kind(undefined)], [['\\xff61', hex]]);
  t.same(rows, [['a', hex]], 'beside a protected cell too');
  t.same(engine.shown.slice(1), ['reveal secret ff61', stored]);
  const notBytea = `\\x${CONTAINER.toString('hex')}z`;
  t.same(
    (await rowsOf(protector, [kind(STR)], [[notBytea]])).rows,
    [[notBytea]],
    'in a protected cell that is no bytea',
  );
  await protector.copied([encodeMessage('d', Buffer.from(`7\t\\${hex}\n`))]);
  t.same(engine.shown.slice(3), [stored, stored]);
  t.same(watched, ['2 elsewhere', '1 elsewhere', '1 elsewhere', '1 elsewhere']);
});

t.test('shows the engine few of them at once, and all of them', async (t) => {
  const { engine, protector, watched } = rig();
  await rowsOf(protector, [kind(undefined, true)], Array(300).fill([CONTAINER]));
  t.same(
    engine.shown.map((each) => each.split(' ').length - 1),
    [128, 128, 44],
  );
  t.same(watched, ['300 elsewhere']);
});

t.test('counts them only, where nobody looks for poison records', async (t) => {
  const { engine, protector, watched } = rig(undefined, false);
  await rowsOf(protector, [kind(undefined, true)], [[CONTAINER]]);
  t.same([engine.shown, watched], [[], ['1 elsewhere']]);
});

t.test('gives no row before the engine has seen what is in it (58000)', async (t) => {
  const { failures, protector } = rig(new EngineError('ENGINE_LOST', 'in words'));
  t.equal(await outcomeOf(rowsOf(protector, [kind(undefined, true)], [[CONTAINER]])), '58000');
  t.equal(await outcomeOf(protector.copied([encodeMessage('d', CONTAINER)])), '58000');
  t.same(failures, ['ENGINE_LOST', 'ENGINE_LOST']);
  const large = rig(new EngineError('ENGINE_VALUE_TOO_LARGE', 'in words'));
  t.ok(
    (await rowsOf(large.protector, [kind(undefined, true)], [[CONTAINER]])).isSame,
    'but for one larger than any value',
  );
});

t.test('reads each row by its own number of cells, and counts what was contradicted', async (t) => {
  const { engine, protector, watched } = rig();
  const frames = [['\\xff61'], ['\\xff62'], ['\\xff63', 'b'], ['\\xff64']].map((row) =>
    DATA_ROW.encode(row.map((cell) => Buffer.from(cell))),
  );
  const kindsOf = (cells: number): CellKind[] =>
    cells === 1 ? [kind(STR)] : [{ ...kind(undefined), contradiction: 'cells' }, kind(undefined)];
  const read = await protector.rows(frames, kindsOf);
  t.same(
    read.map((frame) => DATA_ROW.decode(frame.subarray(5))[0].map(String)),
    [['a'], ['b'], ['\\xff63', 'b'], ['d']],
  );
  t.same(engine.shown, ['reveal secret ff61 ff62', 'reveal secret ff64']);
  t.same(watched, ['1 contradicted by cells']);
});

t.test('has literals and parameters stored or searched in the binary form of their column', async (t) => {
  const { engine, protector } = rig();
  await protector.literal(literal(STR, 'a'));
  await protector.literal(literal(INT32, '-2'));
  await protector.literal(literal(BYTES, '\\x00ff'));
  await protector.literal(literal(STR, 'b', 'search'));
  await protector.parameter({ column: INT32, role: 'store' }, Buffer.from('3'), false);
  await protector.parameter({ column: INT32, role: 'store' }, Buffer.from('0000000000000004', 'hex'), true);
  await protector.parameter({ column: STR, role: 'search' }, Buffer.from('c'), true);
  t.same(engine.shown, [
    ...['store secret 61', 'store age fffffffe', 'store blob 00ff', 'search secret 62'],
    ...['store age 00000003', 'store age 00000004', 'search secret 63'],
  ]);
});

t.test('stores and searches NULL and what is empty as they are, without the engine', async (t) => {
  const { engine, protector } = rig();
  for (const role of ['store', 'search'] as const) {
    t.equal(await protector.parameter({ column: STR, role }, null, false), null);
    t.same(await protector.parameter({ column: STR, role }, Buffer.alloc(0), true), Buffer.alloc(0));
    t.same(await protector.literal(literal(BYTES, '\\x', role)), Buffer.alloc(0));
  }
  t.same(engine.shown, []);
});

t.test('refuses a value that is none of its column before the engine sees it', async (t) => {
  const { engine, protector } = rig();
  t.equal(await outcomeOf(protector.literal(literal(INT32, 'x'))), '22P02');
  t.equal(await outcomeOf(protector.literal(literal(INT32, '3000000000'))), '22003');
  t.equal(await outcomeOf(protector.literal(literal(BYTES, '\\x0'))), '22P02');
  const notUtf8 = { ...literal(STR, '\ufffd'), token: "E'\\xff'" };
  t.equal(await outcomeOf(protector.literal(notUtf8)), '22021');
  t.same(engine.shown, []);
  await protector.literal(literal(STR, '\ufffd'));
  t.equal(engine.shown.length, 1, 'the character itself is text');
});

const STATES = {
  ENGINE_BUSY: '53000',
  ENGINE_VALUE_TOO_LARGE: '54000',
  ENGINE_VALUE_INVALID: '22003',
  ENGINE_VALUE_FOREIGN: '22023',
  ENGINE_LOST: '58000',
  ENGINE_STOPPED: '58000',
  ENGINE_UNPROTECTED: '58000',
  ENGINE_REFUSED: '58000',
} as const;
for (const [code, sqlState] of Object.entries(STATES) as [keyof typeof STATES, string][]) {
  t.test(`turns ${code} into ${sqlState}, and tells of what should not happen`, async (t) => {
    const { failures, protector } = rig(new EngineError(code, 'in words'));
    t.equal(await outcomeOf(protector.literal(literal(STR, 'a'))), sqlState);
    t.equal(await outcomeOf(rowsOf(protector, [kind(STR)], [['\\xff61']])), sqlState);
    t.same(failures, sqlState === '58000' ? [code, code] : []);
  });
}

t.test('says what acra-server says where a column is to fail (42000), which is no failure', async (t) => {
  const column = columnOf({ onFail: 'error' });
  const { failures, protector } = rig(new EngineError('ENGINE_REFUSED', 'refused'));
  const error = await rowsOf(protector, [kind(column)], [['\\xff61']]).catch((thrown: unknown) => thrown);
  t.match(error, { sqlState: '42000', message: 'encoding error in column "secret"' });
  t.same(failures, []);
});

t.test('lets what is no error of the engine through, so that it is not taken for a refusal', async (t) => {
  const { protector } = rig(new RangeError('broken'));
  await t.rejects(protector.literal(literal(STR, 'a')), { message: 'broken' });
});
