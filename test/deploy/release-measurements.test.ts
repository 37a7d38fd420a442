/** Which measurements a release hands out. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DeployError } from '../../deploy/errors.ts';
import { readMeasurements } from '../../deploy/release/measurements.ts';
import { MEASUREMENTS_JSON, makeSigner, signedBy } from '../attestation/published/support/published.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SIGNED = signedBy(makeSigner('provider', 'ed25519'));
const folder = temporaryFolder(t);

function written(name: string, content: Buffer | string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const signed = written('a.measurements', SIGNED);

t.test('takes what was signed of the release, byte for byte', async (t) => {
  t.same([...readMeasurements([signed], '0.1.0')], [['a.measurements', SIGNED]]);
});

t.test('rejects those of another release (RELEASE_VERSION)', async (t) => {
  t.match(
    throwsCode(() => readMeasurements([signed], '0.2.0'), DeployError, 'RELEASE_VERSION'),
    { found: '0.1.0' },
  );
});

for (const [what, paths] of Object.entries({
  'a file that is not there': [join(folder, 'no.measurements')],
  'what is none': [written('text.measurements', 'PCR0')],
  'what nobody signed': [written('plain.measurements', JSON.stringify(MEASUREMENTS_JSON))],
  'the name of another file of the release': [written('SHA256SUMS', SIGNED)],
  'one name twice': [signed, signed],
})) {
  t.test(`rejects ${what} (RELEASE_MEASUREMENTS)`, async () => {
    throwsCode(() => readMeasurements(paths, '0.1.0'), DeployError, 'RELEASE_MEASUREMENTS');
  });
}
