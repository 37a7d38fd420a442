/** Commands that take signed measurements: `policy print` and `verify` demand the same signatures by the same options. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MEASUREMENTS_JSON, makeSigner } from '../attestation/published/support/published.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const folder = temporaryFolder(t);
const write = (name: string, content: string | Buffer) => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
};
const [provider, auditor] = [makeSigner('provider', 'ed25519'), makeSigner('auditor', 'secp384r1')];
const keys = { provider: write('provider.pub', provider.publicPem), auditor: write('auditor.pub', auditor.publicPem) };
const plain = write('measurements.json', JSON.stringify(MEASUREMENTS_JSON));
const signed = join(folder, 'signed.json');
const ROLE = 'arn:aws:iam::111122223333:role/acra-enclave';

t.before(async () => {
  const words = ['--key', write('provider.key', provider.privatePem), '--expires', '90d', '--role-arn', ROLE];
  const { code, stderr } = await acraEnclave(['measurements', 'sign', plain, ...words, '--out', signed]);
  if (code !== 0) throw new Error(stderr);
});

const print = (role: string, ...words: readonly string[]) => {
  const administrator = 'arn:aws:iam::111122223333:user/administrator';
  const people = ['--role-arn', role, '--administrator', administrator, '--policy-administrator', administrator];
  return acraEnclave(['policy', 'print', ...people, ...words]);
};

t.test('prints the policy of measurements that the provider signed, PCR16 too', async (t) => {
  const { code, stdout, stderr } = await print(ROLE, '--measurements', signed, '--require', keys.provider);
  t.equal(code, 0, stderr);
  t.match(stdout, MEASUREMENTS_JSON.Measurements.PCR0);
  t.match(stdout, MEASUREMENTS_JSON.runtime.PCR16);
});

t.test('prints no policy without the signatures, or for another role than was signed', async (t) => {
  const missing = await print(ROLE, '--measurements', signed, '--require', keys.provider, '--require', keys.auditor);
  t.not(missing.code, 0);
  t.match(missing.stderr, 'MEASUREMENTS_SIGNATURE_MISSING');
  t.match((await print(ROLE, '--measurements', plain, '--require', keys.provider)).stderr, 'MEASUREMENTS_UNSIGNED');
  const other = await print(`${ROLE}-other`, '--measurements', signed, '--require', keys.provider);
  t.match(other.stderr, /CLI_OPTION.*PCR3 differs/);
});

const verify = (...words: readonly string[]) => acraEnclave(['verify', '--connect', '127.0.0.1:1', ...words]);

t.test('verify gives no answer (2) without the signatures that it demands, and dials nobody', async (t) => {
  const missing = await verify('--measurements', signed, '--require', keys.auditor);
  t.match(missing, { code: 2, stderr: /MEASUREMENTS_SIGNATURE_MISSING/ });
  t.match(await verify('--measurements', plain, '--measurements-max-age', '1d'), {
    code: 2,
    stderr: /MEASUREMENTS_UNSIGNED/,
  });
  t.match(await verify('--pcr', `0=${'a'.repeat(96)}`, '--require', keys.provider), { code: 2, stderr: /CLI_OPTION/ });
  const reached = await verify('--measurements', signed, '--require', keys.provider, '--measurements-max-age', '1d');
  t.match(reached, { code: 69, stderr: /CLI_ATTESTATION_UNREACHABLE/ });
});
