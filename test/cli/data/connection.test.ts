/** What an error of a session means, and how lists of texts are written. */
import t from 'tap';
import { connect, rowsOf } from '../../../cli/data/connection.ts';
import { failureOf } from '../../../cli/data/failures.ts';
import { startShop } from '../../support/shop-database.ts';

const withCode = (code: string) => Object.assign(new Error('x'), { code });

t.test('tells what another session mends from what is the fault of a row, and from the rest', async (t) => {
  for (const code of ['57P01', '57P03', '08006', '53300', 'ECONNREFUSED', 'ECONNRESET'])
    t.equal(failureOf(withCode(code)), 'lost', code);
  t.equal(failureOf(new Error('Connection terminated unexpectedly')), 'lost');
  for (const code of ['40001', '40P01', '55P03', '57014']) t.equal(failureOf(withCode(code)), 'again', code);
  for (const code of ['22021', '23514', '54000', '0A000']) t.equal(failureOf(withCode(code)), 'row', code);
  t.equal(failureOf(withCode('58000')), 'engine');
  for (const code of ['42703', '42501', '28000', '55000', 'CERT_HAS_EXPIRED'])
    t.equal(failureOf(withCode(code)), 'unable', code);
  t.equal(failureOf(new TypeError('undefined is not a function')), 'unable');
});

t.test('gives back in an array what it was given', async (t) => {
  const user = { name: 'app', password: 'pencil' };
  const { host, port } = await startShop(t, user, undefined);
  const connection = await connect({ host, port, user: user.name, password: user.password, database: 'shop' });
  const texts = ['', ' ', 'NULL', 'null', '"', '\\', '\\"', '{}', '{a,b}', ',', "'", 'a\nb', 'Zoë 名前', null];
  const rows = await rowsOf(connection, 'SELECT * FROM unnest($1::text[])', [texts]);
  t.same(
    rows.map(([text]) => text),
    texts,
  );
  await connection.end();
});
