/** `measurements sign`, `verify` and `show` as provider, auditor and user run them, and by hand with OpenSSL. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MEASUREMENTS_JSON, makeSigner } from '../attestation/published/support/published.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const SOURCE = `git+https://example.org/acra-enclave@${COMMIT}`;
const withoutOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'OpenSSL is not installed';

function place(t: Parameters<typeof temporaryFolder>[0]) {
  const folder = temporaryFolder(t);
  const write = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const party = (name: string, kind: Parameters<typeof makeSigner>[1]) => {
    const { privatePem, publicPem } = makeSigner(name, kind);
    return { key: write(`${name}.key`, privatePem), pub: write(`${name}.pub`, publicPem) };
  };
  return {
    folder,
    write,
    provider: party('provider', 'prime256v1'),
    auditor: party('auditor', 'ed25519'),
    own: write('measurements.json', JSON.stringify(MEASUREMENTS_JSON)),
    out: join(folder, 'signed.json'),
  };
}

const measurements = (...words: readonly string[]) => acraEnclave(['measurements', ...words]);

t.test('keeps the word of a provider and of an auditor in one file, and tells a user what was signed', async (t) => {
  const { provider, auditor, own, out } = place(t);
  const first = await measurements(
    'sign',
    own,
    '--key',
    provider.key,
    '--expires',
    '90d',
    '--source',
    SOURCE,
    '--out',
    out,
  );
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, `commit ${COMMIT}`, 'the provider sees what he signs');
  const second = await measurements(
    'sign',
    out,
    '--key',
    auditor.key,
    '--same-as',
    own,
    '--require',
    provider.pub,
    '--out',
    out,
  );
  t.equal(second.code, 0, second.stderr);
  const both = ['--require', provider.pub, '--require', auditor.pub, '--max-age', '30d'];
  const verified = await measurements('verify', out, ...both);
  t.equal(verified.code, 0, verified.stderr);
  t.match(verified.stdout, MEASUREMENTS_JSON.Measurements.PCR0);
  const json = await measurements('verify', out, ...both, '--json');
  t.match(JSON.parse(json.stdout), { isValid: true, measurements: { isSigned: true, source: { gitCommit: COMMIT } } });
  t.match((await measurements('show', out)).stdout, 'nothing was verified');
});

t.test('says no with the code of what is missing, and shows nothing of what cannot be believed', async (t) => {
  const { provider, auditor, own, out } = place(t);
  await measurements('sign', own, '--key', provider.key, '--expires', '90d', '--out', out);
  const { code, stdout } = await measurements('verify', out, '--require', auditor.pub);
  t.equal(code, 1);
  t.match(stdout, 'MEASUREMENTS_SIGNATURE_MISSING');
  t.notMatch(stdout, MEASUREMENTS_JSON.Measurements.PCR0);
  t.equal((await measurements('verify', own, '--require', provider.pub)).code, 1, 'a plain file');
  t.equal((await measurements('verify', out, '--require', '/nonexistent')).code, 2, 'no answer without a key');
  t.equal((await measurements('verify', out)).code, 2, 'nor without a demand');
});

t.test('rejects the signature of an auditor who built something else, and writes nothing', async (t) => {
  const { folder, provider, auditor, own, out, write } = place(t);
  await measurements('sign', own, '--key', provider.key, '--expires', '90d', '--out', out);
  const before = readFileSync(out);
  const { Measurements: pcrs } = MEASUREMENTS_JSON;
  const mine = write(
    'mine.json',
    JSON.stringify({ ...MEASUREMENTS_JSON, Measurements: { ...pcrs, PCR2: 'b'.repeat(96) } }),
  );
  const { code, stderr } = await measurements('sign', out, '--key', auditor.key, '--same-as', mine, '--out', out);
  t.equal(code, 1);
  t.match(stderr, /MEASUREMENTS_DIFFER.*PCR2/);
  t.same(readFileSync(out), before);
  t.notOk(readdirSync(folder).some((name) => name.endsWith('.partial')));
});

t.test('takes an encrypted key with a file of its passphrase', async (t) => {
  const { provider, own, out, write } = place(t);
  const cipher = { cipher: 'aes-256-cbc', passphrase: 'correct horse' };
  const key = createPrivateKey(readFileSync(provider.key)).export({ type: 'pkcs8', format: 'pem', ...cipher });
  const words = ['sign', own, '--key', write('encrypted.key', key), '--expires', '1d', '--out', out];
  t.match(await measurements(...words), { code: 1, stderr: /MEASUREMENTS_KEY_ENCRYPTED/ });
  const file = write('passphrase', 'correct horse\n');
  t.match(await measurements(...words, '--passphrase-file', file), { code: 0 });
});

const WRONG: Readonly<Record<string, readonly string[]>> = {
  'no expiry': [],
  'a source without a commit': ['--expires', '1d', '--source', 'https://example.org/x'],
  'a source by the name of a tag': ['--expires', '1d', '--source', 'https://example.org/x@v1'],
  'an expiry without a unit': ['--expires', '90'],
};

for (const [what, options] of Object.entries(WRONG)) {
  t.test(`rejects ${what}`, async (t) => {
    const { provider, own, out } = place(t);
    const { code, stderr } = await measurements('sign', own, '--key', provider.key, '--out', out, ...options, '--json');
    t.not(code, 0);
    t.match(stderr, /CLI_OPTION|CLI_USAGE/);
  });
}

t.test('rejects another expiry for what is signed already (CLI_OPTION)', async (t) => {
  const { provider, auditor, own, out } = place(t);
  await measurements('sign', own, '--key', provider.key, '--expires', '1d', '--out', out);
  t.match(await measurements('sign', out, '--key', auditor.key, '--expires', '9d', '--out', out), {
    code: 1,
    stderr: /CLI_OPTION/,
  });
});

t.test('signs what OpenSSL verifies by hand', { skip: withoutOpenssl }, async (t) => {
  const { folder, provider, auditor, own, out } = place(t);
  await measurements('sign', own, '--key', provider.key, '--expires', '1d', '--out', out);
  await measurements('sign', out, '--key', auditor.key, '--out', out);
  const { payload, signatures } = JSON.parse(readFileSync(out, 'utf8'));
  const body = Buffer.from(payload, 'base64');
  const message = join(folder, 'pae');
  writeFileSync(message, Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${body.length} `), body]));
  for (const [index, { sig }] of signatures.entries())
    writeFileSync(join(folder, `sig${index}`), Buffer.from(sig, 'base64'));
  const openssl = (...words: readonly string[]) => execFileSync('openssl', words, { cwd: folder, encoding: 'utf8' });
  t.match(openssl('dgst', '-sha256', '-verify', provider.pub, '-signature', 'sig0', message), 'Verified OK');
  const raw = ['pkeyutl', '-verify', '-pubin', '-inkey', auditor.pub, '-rawin', '-in', message, '-sigfile', 'sig1'];
  t.match(openssl(...raw), 'Verified Successfully');
});
