/** docs/attestation.md tells the claims as the code does, in the same order. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CLAIMS } from '../../../attestation/verify/claims.ts';
import { PROJECT } from '../../project/imports.ts';

t.test('keeps the table of docs/attestation.md equal to the claims', async (t) => {
  const page = readFileSync(join(PROJECT, 'docs/attestation.md'), 'utf8');
  const table = page.slice(
    page.indexOf('| claim | proves | does not prove |'),
    page.indexOf('\nRegisters that are demanded'),
  );
  const rows = Object.entries(CLAIMS).map(
    ([claim, { proves, doesNotProve }]) => `| \`${claim}\` | ${proves} | ${doesNotProve} |`,
  );
  t.same(table.trimEnd().split('\n').slice(2), rows);
});
