import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';

const vector: { dimensions: string[][]; acceptedHex: string } = JSON.parse(
  readFileSync(new URL('../../vectors/acra/acra-0.96.0-combinations.json', import.meta.url), 'utf8'),
);

function combinations(dimensions: readonly string[][]): string[][] {
  const [first, ...rest] = dimensions;
  if (first === undefined) return [[]];
  const tails = combinations(rest);
  return first.flatMap((setting) => tails.map((tail) => (setting === '' ? tail : [setting, ...tail])));
}

function isAccepted(settings: readonly string[]): boolean {
  const lines = settings.flatMap((setting) => setting.split('\n')).map((line) => `        ${line}`);
  const head = ['schemas:', '  - table: t', '    columns: [c]', '    encrypted:', '      - column: c'];
  try {
    parseEncryptorConfig([...head, ...lines].join('\n'), 'encryptor.yaml');
    return true;
  } catch {
    return false;
  }
}

/** Where we are stricter on purpose: acra-server would fall back to the ciphertext silently. */
function isStricterHere(settings: readonly string[]): boolean {
  const text = settings.join('\n');
  return text.includes('response_on_fail: default_value') && !text.includes('default_data_value');
}

t.test('accepts exactly the combinations of settings that acra-server accepts', async (t) => {
  const all = combinations(vector.dimensions);
  const bits = Buffer.from(vector.acceptedHex, 'hex');
  t.equal(all.length, bits.length * 8);
  const byAcra = all.filter((_, index) => (bits[index >> 3]! & (0x80 >> (index & 7))) !== 0);
  const byUs = all.filter(isAccepted);
  t.same(
    byUs,
    byAcra.filter((settings) => !isStricterHere(settings)),
  );
  t.equal(byAcra.length, 245);
});
