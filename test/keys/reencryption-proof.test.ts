/** Old keys may go only where it is proved of every column that nothing is under them. */
import t from 'tap';
import { parseEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import { KeyError } from '../../keys/errors.ts';
import { hasStructs, type ReencryptionProof, requireProofs } from '../../keys/reencryption-proof.ts';
import { throwsCode } from '../support/coded-error.ts';

const [OWN, OTHER] = ['a'.repeat(128), 'b'.repeat(128)];
const { tables } = parseEncryptorConfig(
  `schemas:
  - table: patients
    columns: [id, name, note, letter]
    encrypted:
      - {column: name, searchable: true}
      - {column: note, client_id: ${OTHER}}
      - {column: letter, crypto_envelope: acrastruct}
  - table: visits
    columns: [id, reason]
    encrypted:
      - column: reason
`,
  'encryptor.yaml',
);

const ids = { clientId: OWN, current: '0001', old: ['0002', '0003'] };
const proofOf = (table: string, columns: readonly string[], changed: object = {}): ReencryptionProof => ({
  outcome: 'proved',
  ...ids,
  table,
  columns,
  ...changed,
});
const PROOFS = [proofOf('patients', ['name', 'letter']), proofOf('visits', ['reason'])];

t.test('accepts a proof of every column whose values may be under the keys', async (t) => {
  requireProofs([ids], tables, PROOFS);
  requireProofs([{ clientId: OTHER, current: '0004', old: [] }], tables, [
    proofOf('patients', ['name', 'note', 'letter'], { clientId: OTHER, current: '0004', old: [] }),
    proofOf('visits', ['reason'], { clientId: OTHER, current: '0004', old: ['0009'] }),
  ]);
  t.ok(hasStructs(tables), 'AcraStructs are another matter');
});

const REFUSED: Readonly<Record<string, readonly ReencryptionProof[]>> = {
  none: [],
  'one table only': PROOFS.slice(0, 1),
  'no column of AcraStructs, between which AcraBlocks may be': [proofOf('patients', ['name']), ...PROOFS.slice(1)],
  'another client': PROOFS.map((proof) => ({ ...proof, clientId: OTHER })),
  'another current key': PROOFS.map((proof) => ({ ...proof, current: '0005' })),
  'not all old keys': PROOFS.map((proof) => ({ ...proof, old: ['0002'] })),
};

for (const [what, proofs] of Object.entries(REFUSED)) {
  t.test(`rejects proofs of ${what} (KEY_PROOF)`, async () => {
    throwsCode(() => requireProofs([ids], tables, proofs), KeyError, 'KEY_PROOF');
  });
}

t.test('rejects keys that cannot be told apart by their ids (KEY_PROOF)', async () => {
  const alike = { ...ids, old: ['0001'] };
  const proofs = PROOFS.map((proof) => ({ ...proof, old: alike.old }));
  throwsCode(() => requireProofs([alike], tables, proofs), KeyError, 'KEY_PROOF');
});
