/** Values exchanged for tokens and back: what acra-server says is believed only where it is one. */
import t from 'tap';
import type { TokenType } from '../../../acra/encryptor-config/data-types.ts';
import { TokenExchange } from '../../../acra/engine/token-exchange.ts';
import { atRest } from '../support/at-rest.ts';
import { columnOf } from '../support/columns.ts';

const column = (type: TokenType) =>
  columnOf({ dataType: type === 'email' ? 'str' : type, token: { type, isConsistent: true } });
const VALUE = Buffer.from('Beate');

/** An acra-server that answers these, one after the other, to values; and knows these tokens. */
function exchange(made: readonly Buffer[], known: Readonly<Record<string, string>> = {}) {
  const asked: Buffer[] = [];
  const tokens = new TokenExchange({
    store: async (_of, value) => {
      asked.push(value);
      return made[asked.length - 1] ?? value;
    },
    reveal: async (_of, cells) => cells.map((cell) => Buffer.from(known[String(cell)] ?? cell)),
  });
  return { tokens, asked };
}

t.test('rejects a value that came back as it was, twice (ENGINE_TOKEN_MISSING)', async (t) => {
  const { tokens, asked } = exchange([]);
  await t.rejects(tokens.tokenFor(column('str'), VALUE), { code: 'ENGINE_TOKEN_MISSING' });
  t.same(asked, [VALUE, VALUE]);
});

t.test('asks again once, where a token may be its value by chance', async (t) => {
  const { tokens, asked } = exchange([VALUE, Buffer.from('x7Pq2')]);
  t.same(await tokens.tokenFor(column('str'), VALUE), Buffer.from('x7Pq2'));
  t.equal(asked.length, 2);
});

for (const [what, type, value, made] of [
  ['of another length', 'str', VALUE, Buffer.from('x7Pq')],
  ['that has more than letters and digits', 'str', VALUE, Buffer.from("x7'q2")],
  ['of another size', 'int32', Buffer.alloc(4, 1), Buffer.alloc(8)],
  ['of other bytes', 'bytes', VALUE, Buffer.alloc(6)],
  ['that is no email', 'email', Buffer.from('a@b.de'), Buffer.from('abcdef')],
] as const) {
  t.test(`rejects a token ${what} (ENGINE_UNPROTECTED)`, async (t) => {
    await t.rejects(exchange([made]).tokens.tokenFor(column(type), value), { code: 'ENGINE_UNPROTECTED' });
  });
}

t.test('keeps from acra-server what it ends over, or reads otherwise', async (t) => {
  const { tokens, asked } = exchange([]);
  const [row] = atRest.rows;
  const container = Buffer.from(row?.storedBase64.secret ?? '', 'base64');
  await t.rejects(tokens.tokenFor(column('email'), Buffer.from('a@')), { code: 'ENGINE_VALUE_INVALID' });
  await t.rejects(tokens.tokenFor(column('int32'), Buffer.alloc(8)), { code: 'ENGINE_VALUE_INVALID' });
  await t.rejects(tokens.tokenFor(column('bytes'), container), { code: 'ENGINE_VALUE_FOREIGN' });
  t.same(await tokens.tokenFor(column('str'), Buffer.alloc(0)), Buffer.alloc(0), 'an empty one stays empty');
  t.same(asked, []);
});

t.test('rejects cells of which one came back as it was (ENGINE_TOKEN_UNKNOWN)', async (t) => {
  const [token, other] = [Buffer.from('x7Pq2'), Buffer.from('Plain')];
  const valuesOf = (known: Record<string, string>, ...cells: Buffer[]) =>
    exchange([], known).tokens.valuesOf(column('str'), cells);
  t.same(await valuesOf({ x7Pq2: 'Beate' }, token, token), [VALUE, VALUE]);
  await t.rejects(valuesOf({ x7Pq2: 'Beate' }, token, other), { code: 'ENGINE_TOKEN_UNKNOWN' });
  await t.rejects(valuesOf({ x7Pq2: 'Beat' }, token), { code: 'ENGINE_TOKEN_UNKNOWN' }, 'or as another length');
});
