/** ECDSA-Sig-Value in DER and raw r ‖ s: strict on both lengths and integers. */
import { generateKeyPairSync, sign } from 'node:crypto';
import t from 'tap';
import { ecdsaRawFromDer } from '../../../encoding/asn1/ecdsa-signature.ts';
import { ecdsaDerFromRaw } from './support/ecdsa-der.ts';

const parse = (hex: string, size = 64) => ecdsaRawFromDer(Buffer.from(hex, 'hex'), size)?.toString('hex');
const word = (hex: string) => hex.padStart(64, '0');

t.test('reads short and long integers', async (t) => {
  t.equal(parse('3006020101020102'), word('01') + word('02'));
  t.equal(parse('30070202008002017f'), word('80') + word('7f'));
  const full = `00${'ff'.repeat(32)}`;
  t.equal(parse(`30460221${full}0221${full}`), 'ff'.repeat(64));
});

t.test('reads what OpenSSL signs on all three curves', async (t) => {
  for (const [namedCurve, size] of [
    ['P-256', 64],
    ['P-384', 96],
    ['P-521', 132],
  ] as const) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve });
    for (let round = 0; round < 20; round++) {
      const der = sign('sha256', Buffer.from([round]), privateKey);
      const raw = ecdsaRawFromDer(der, size);
      t.equal(raw?.length, size);
      t.same(ecdsaDerFromRaw(raw!), der, 'and back');
    }
  }
});

t.test('rejects everything else', async (t) => {
  for (const hex of [
    '',
    '30',
    '3006',
    '3106020101020102',
    '30060201010201',
    '300602010102010200',
    '3007020101020102',
    '3005020101020102',
    '3003020101',
    '3009020101020102020103',
    '3006030101020102',
    '30050200020102',
    '3006020181020102',
    '300702020001020102',
    '308106020101020102',
    '3080020101020102',
    `3026022201${'00'.repeat(33)}020101`,
    `30470222${'01'.repeat(34)}0221${'01'.repeat(33)}`,
  ]) {
    t.equal(parse(hex), undefined, hex);
  }
});
