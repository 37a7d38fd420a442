/** What an engine makes of values, with the stand-in, and with the real acra-server 0.96.0 where ACRA_SERVER names one. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { containerAt, encodeContainer, searchHashAt } from '../../../acra/container.ts';
import { atRest } from '../support/at-rest.ts';
import { PROGRAMS, startEngine } from './support/engine-rig.ts';

const VALUES: Readonly<Record<string, Buffer>> = {
  'one byte': Buffer.of(0),
  text: Buffer.from('ada@example.org'),
  unicode: Buffer.from('ünïcode — 漢字 🙂'),
  'quotes and backslashes': Buffer.from(String.raw`o'hara \x41 \\ "q" \134`),
  'bytea’s own text': Buffer.from(String.raw`\x616263`),
  'zero bytes and line breaks': Buffer.from('a\0b\nc\r\n\0'),
  'tags of a container': Buffer.from('%%%""""%%%'),
  '100 kB': randomBytes(100_000),
};
const COLUMNS = ['email', 'secret', 'blob'] as const;
const blob = (base64: string) => Buffer.from(base64, 'base64');

t.setTimeout(120_000);

for (const [program, { command, skip }] of Object.entries(PROGRAMS)) {
  t.test(`an engine with ${program}`, { skip }, async (t) => {
    const rig = await startEngine(t, { command });
    const { engine } = rig;

    for (const name of COLUMNS) {
      const of = rig.column(name);

      t.test(`gives back every value of column ${name}, and never stores one in plaintext`, async (t) => {
        const values = Object.values(VALUES);
        const stored = await Promise.all(values.map((value) => engine.protect(of, value)));
        for (const [index, [kind, value]] of Object.entries(VALUES).entries()) {
          const bytes = stored[index] ?? Buffer.alloc(0);
          const hash = of.searchable ? searchHashAt(bytes) : Buffer.alloc(0);
          t.equal(containerAt(bytes.subarray(hash?.length))?.envelope, 'acrablock', kind);
          t.notOk(value.length > 1 && bytes.includes(value), kind);
        }
        t.same(await engine.reveal(of, stored), values);
      });

      t.test(`reads what acra-server stored in line in column ${name}`, async (t) => {
        const cells = atRest.rows.map(({ storedBase64 }) => blob(storedBase64[name]));
        const plain = atRest.rows.map(({ plaintext }) =>
          name === 'blob' ? blob(plaintext.blobBase64) : Buffer.from(plaintext[name]),
        );
        t.same(await engine.reveal(of, cells), plain);
      });

      t.test(`keeps an empty value of column ${name} empty`, async (t) => {
        t.same(await engine.protect(of, Buffer.alloc(0)), Buffer.alloc(0));
        t.same(await engine.reveal(of, [Buffer.alloc(0)]), [Buffer.alloc(0)]);
      });

      t.test(`lets a container of this identity be stored again in column ${name}`, async (t) => {
        const value = Buffer.from('once');
        const [container] = [await engine.protect(rig.column('secret'), value)];
        t.same(await engine.reveal(of, [await engine.protect(of, container)]), [value]);
      });

      t.test(`refuses what looks like a container in column ${name} and does not open`, async (t) => {
        const container = await engine.protect(rig.column('secret'), Buffer.from('kept'));
        const broken = Buffer.from(container);
        broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
        const foreign = {
          'one changed bit': broken,
          'plaintext behind a container': Buffer.concat([container, Buffer.from('plaintext')]),
          'a container round a container': encodeContainer('acrablock', container),
          'only a header': encodeContainer('acrablock', Buffer.from('plaintext')),
        };
        for (const [kind, value] of Object.entries(foreign)) {
          const outcome = await engine.protect(of, value).then(
            (stored) => (stored.includes(value) || stored.includes('plaintext') ? 'plaintext' : 'protected'),
            ({ code }) => code,
          );
          t.match(
            outcome,
            /^(protected|ENGINE_VALUE_FOREIGN|ENGINE_UNPROTECTED|ENGINE_REFUSED)$/,
            `${kind}: ${outcome}`,
          );
        }
      });
    }

    t.test('finds a value by its search hash', async (t) => {
      const of = rig.column('email');
      const value = Buffer.from('ada@example.org');
      const stored = await engine.protect(of, value);
      t.same(await engine.searchHash(of, value), stored.subarray(0, 33));
    });

    t.test('gives a cell that does not open as it is', async (t) => {
      const of = rig.column('blob');
      const cells = [Buffer.from('plain'), randomBytes(200)];
      t.same(await engine.reveal(of, cells), cells);
    });

    t.test('keeps 1,000 cells in order', async (t) => {
      const of = rig.column('secret');
      const values = Array.from({ length: 1_000 }, (_, index) => Buffer.from(`value ${index}`));
      const stored = await Promise.all(values.map((value) => engine.protect(of, value)));
      t.same(await engine.reveal(of, stored), values);
    });
  });
}
