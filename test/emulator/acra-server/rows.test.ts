import t from 'tap';
import type { CellKind } from '../../../acra/conversation/value-protector.ts';
import { HashCheck } from '../../../emulator/acra-server/hash-check.ts';
import { RowReader } from '../../../emulator/acra-server/rows.ts';
import { encodeBytea } from '../../../postgres/bytea.ts';
import { DATA_ROW } from '../../../postgres/messages.ts';
import { atRest } from '../../acra/support/at-rest.ts';
import { column, vectorCipher } from './support/vector-cipher.ts';

const UNKNOWN: CellKind = { column: undefined, isBinary: false };

async function reveal(
  t: Parameters<typeof vectorCipher>[0],
  cells: [Buffer | string | null, CellKind][],
  clientId?: string,
) {
  const cipher = await vectorCipher(t, clientId === undefined ? {} : { clientId });
  const values = cells.map(([cell]) => (cell === null ? null : Buffer.from(cell as string)));
  const frame = DATA_ROW.encode(values);
  const revealed = new RowReader(cipher, new HashCheck(cipher)).reveal(frame, () => cells.map(([, kind]) => kind));
  const [after] = DATA_ROW.decode(revealed.subarray(5));
  return { isSame: revealed === frame, cells: after.map((cell) => cell?.toString('latin1') ?? null) };
}

const [row] = atRest.rows;
const secret = Buffer.from(row!.storedBase64.secret, 'base64');
const email = Buffer.from(row!.storedBase64.email, 'base64');
const blob = Buffer.from(row!.storedBase64.blob, 'base64');
const kind = (name: string, isBinary: boolean): CellKind => ({ column: column(name), isBinary });

t.test('decrypts the columns of the configuration in text and binary format', async (t) => {
  const { cells } = await reveal(t, [
    [encodeBytea(secret), kind('secret', false)],
    [secret, kind('secret', true)],
    [encodeBytea(email), kind('email', false)],
    [encodeBytea(blob), kind('blob', false)],
    [blob, kind('blob', true)],
    [null, kind('blob', true)],
  ]);
  t.same(cells, ['plain ascii', 'plain ascii', 'ada@example.org', '\\x000102ff', '\x00\x01\x02\xff', null]);
});

t.test('decrypts containers in columns of any query, also in the escape form of bytea', async (t) => {
  const escaped = [...secret].map((byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
    return isPlain ? String.fromCharCode(byte) : byte === 0x5c ? '\\\\' : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  const { cells } = await reveal(t, [
    [encodeBytea(secret), UNKNOWN],
    [secret, { column: undefined, isBinary: true }],
    [escaped.join(''), UNKNOWN],
    ['%%% 252525 is no container', UNKNOWN],
  ]);
  t.same(cells, [
    encodeBytea(Buffer.from('plain ascii')),
    'plain ascii',
    encodeBytea(Buffer.from('plain ascii')),
    '%%% 252525 is no container',
  ]);
});

t.test('keeps rows without containers byte for byte', async (t) => {
  const { isSame } = await reveal(t, [
    ['1', UNKNOWN],
    ['\\x0011', UNKNOWN],
    ['a\\b', UNKNOWN],
    [null, UNKNOWN],
    ['', UNKNOWN],
  ]);
  t.ok(isSame);
});

t.test('shows what was stored unencrypted in a str column as text', async (t) => {
  const { cells } = await reveal(t, [
    ['\\x6f6c64', kind('secret', false)],
    ['\\x', kind('secret', false)],
    ['old', kind('secret', true)],
    ['\\x6f6c64', kind('blob', false)],
  ]);
  t.same(cells, ['old', '', 'old', '\\x6f6c64']);
});

t.test('shows the ciphertext of another client as it is stored, also where a text is expected', async (t) => {
  const cells: [Buffer | string, CellKind][] = [
    [encodeBytea(secret), kind('secret', false)],
    [secret, kind('secret', true)],
    [encodeBytea(blob), kind('blob', false)],
    [blob, kind('blob', true)],
    [encodeBytea(blob), UNKNOWN],
  ];
  const expected = [
    secret.toString('latin1'),
    secret.toString('latin1'),
    encodeBytea(blob),
    blob.toString('latin1'),
    encodeBytea(blob),
  ];
  t.same((await reveal(t, cells, 'somebody else')).cells, expected);
});

t.test('follows response_on_fail', async (t) => {
  const withDefault = { ...column('secret'), onFail: 'default_value', defaultValue: 'n/a' } as const;
  const bytesDefault = { ...column('blob'), onFail: 'default_value', defaultValue: 'AAE=' } as const;
  const withError = { ...column('secret'), onFail: 'error' } as const;
  const { cells } = await reveal(
    t,
    [
      [encodeBytea(secret), { column: withDefault, isBinary: false }],
      [encodeBytea(blob), { column: bytesDefault, isBinary: false }],
      [blob, { column: bytesDefault, isBinary: true }],
    ],
    'somebody else',
  );
  t.same(cells, ['n/a', '\\x0001', '\x00\x01']);
  const failing: [Buffer | string, CellKind][] = [[encodeBytea(secret), { column: withError, isBinary: false }]];
  t.same((await reveal(t, failing)).cells, ['plain ascii']);
  await t.rejects(reveal(t, failing, 'somebody else'), {
    sqlState: '42000',
    message: 'encoding error in column "secret"',
  });
});
