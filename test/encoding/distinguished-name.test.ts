/** Subjects as text: what Go prints of certificates is held in test/acra/client-id.test.ts. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { clientNameFromCertificate } from '../../acra/client-id.ts';
import { canonicalName } from '../../encoding/distinguished-name.ts';

interface Vector {
  readonly name: string;
  readonly certificate: string;
}
const { cases }: { cases: Vector[] } = JSON.parse(
  readFileSync(new URL('../vectors/acra/acra-0.96.0-client-ids.json', import.meta.url), 'utf8'),
);

t.test('keeps every subject that acra-server prints as it is', async (t) => {
  for (const { name, certificate } of cases) {
    const printed = clientNameFromCertificate(certificate, 'distinguished_name');
    t.equal(canonicalName(printed), printed, name);
  }
});

for (const [text, right] of [
  ['CN=billing,O=Example', 'CN=billing,O=Example'],
  ['O=Example,CN=billing', 'CN=billing,O=Example'],
  ['CN=billing, O=Example', 'CN=billing,O=Example'],
  ['C = DE, O = "x", CN = a', undefined],
  ['C = DE, O = Example GmbH , CN = a', 'CN=a,O=Example GmbH,C=DE'],
  ['cn=a', 'CN=a'],
  ['CN=a+OU=b,O=c', 'CN=a,OU=b,O=c'],
  ['OU=b+OU=a,CN=x', 'CN=x,OU=b+OU=a'],
  ['CN=a\\,b', 'CN=a\\,b'],
  ['CN=a\\=b', 'CN=a=b'],
  ['CN=a=b', 'CN=a=b'],
  ['CN=\\ a\\ ', 'CN=\\ a\\ '],
  ['CN=\\#a', 'CN=\\#a'],
  ['CN=Ünïcode 名', 'CN=Ünïcode 名'],
  ['1.2.840.113549.1.9.1=#1603612E62,CN=a', 'CN=a,1.2.840.113549.1.9.1=#1603612e62'],
] as const)
  t.test(`spells ${text} as ${right ?? 'nothing that could be told'}`, async (t) => {
    t.equal(canonicalName(text), right);
  });

t.test('tells no spelling of what is ambiguous or no subject', async (t) => {
  for (const text of [
    '',
    'billing',
    '=a',
    'CN',
    'CN=',
    'CN=a,',
    ',CN=a',
    'CN=a,CN=b',
    'CN=a+CN=b',
    'OU=a,OU=b',
    'DC=example',
    'emailAddress=a@b',
    '/O=Example/CN=a',
    'CN=#0c0161',
    '2.5.4.3=#0c0161',
    '1.2.3=#1',
    '1.2.3=a',
    'CN=\\61',
    'CN=a\\',
    'CN="a"',
    'CN=a;O=b',
    'CN=a<b',
  ])
    t.equal(canonicalName(text), undefined, text);
});

t.test('reads a long text of blanks and backslashes in a moment', async (t) => {
  for (const text of [' '.repeat(4000), `CN=${'\\ '.repeat(2000)}`, `CN=${' '.repeat(4000)}"`, 'A=,'.repeat(1300)])
    t.not(canonicalName(text), text, text.slice(0, 5));
});
