import t from 'tap';
import { AttestationError } from '../../../attestation/errors.ts';
import { commitmentTo, encodeStatement, pcrOfCommitment } from '../../../attestation/runtime/statement.ts';
import { parseMeasurements } from '../../../attestation/verify/measurements-file.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { statement } from './support/evidence.ts';

const PCR16 = pcrOfCommitment(commitmentTo(encodeStatement(statement))).toString('hex');
const Measurements = {
  HashAlgorithm: 'Sha384 { ... }',
  PCR0: '0A'.repeat(48),
  PCR1: '0b'.repeat(48),
  PCR8: '0c'.repeat(48),
};
const runtime = { statement, PCR16 };

t.test('reads registers and the runtime statement, whatever else the file holds', (t) => {
  const { pcrs, statement: read } = parseMeasurements(JSON.stringify({ Measurements, runtime, image: { name: 'x' } }));
  t.same(
    [...pcrs].map(([index, value]) => [index, value.toString('hex').slice(0, 4)]),
    [
      [0, '0a0a'],
      [1, '0b0b'],
      [8, '0c0c'],
    ],
  );
  t.same(read, statement);
  t.end();
});

t.test('reads what nitro-cli prints, which has no statement', (t) => {
  const read = parseMeasurements(JSON.stringify({ Measurements }));
  t.equal(read.pcrs.size, 3);
  t.equal(read.statement, undefined);
  t.end();
});

const REFUSED: readonly [why: string, text: string][] = [
  ['no JSON', 'PCR0'],
  ['a list', '[]'],
  ['no Measurements', JSON.stringify({ runtime })],
  ['a short register', JSON.stringify({ Measurements: { PCR0: '0a' } })],
  ['PCR32', JSON.stringify({ Measurements: { PCR32: '0a'.repeat(48) } })],
  [
    'an unknown member of the statement',
    JSON.stringify({ Measurements, runtime: { ...runtime, statement: { ...statement, x: 1 } } }),
  ],
  ['an unknown member beside the statement', JSON.stringify({ Measurements, runtime: { ...runtime, x: 1 } })],
  ['a PCR16 of another statement', JSON.stringify({ Measurements, runtime: { ...runtime, PCR16: '00'.repeat(48) } })],
];

for (const [why, text] of REFUSED) {
  t.test(`rejects ${why} (ATTESTATION_POLICY_INVALID)`, (t) => {
    throwsCode(() => parseMeasurements(text), AttestationError, 'ATTESTATION_POLICY_INVALID');
    t.end();
  });
}
