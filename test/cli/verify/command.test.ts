/** `verify` as a user runs it, against servers of the test's own: what it says, what it writes, and how it ends. */
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commitmentTo, encodeStatement, pcrOfCommitment } from '../../../attestation/runtime/statement.ts';
import type { VerifyReport } from '../../../attestation/verify/report.ts';
import { encodeFrame } from '../../../wire/control/frame.ts';
import { failuresOf, keptByParent, resultOf, statement } from '../../attestation/verify/support/evidence.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { acraEnclave } from '../support/acra-enclave.ts';
import {
  Attesting,
  attestationPort,
  honest,
  httpEndpoint,
  postgresPort,
  tlsIdentity,
} from './support/attesting-server.ts';

const PCR0 = '01'.repeat(48);
const attesting = new Attesting(await tlsIdentity());
const folder = temporaryFolder(t);
const rootFile = join(folder, 'root.pem');
writeFileSync(rootFile, attesting.rootPem);
const measurementsFile = join(folder, 'measurements.json');
const Measurements = { PCR0, PCR1: '02'.repeat(48), PCR2: '03'.repeat(48) };
const PCR16 = pcrOfCommitment(commitmentTo(encodeStatement(statement))).toString('hex');
writeFileSync(measurementsFile, JSON.stringify({ Measurements, runtime: { statement, PCR16 } }));

const publicPort = await attestationPort(t, attesting.identity, honest(attesting));
const connect = ['--connect', `localhost:${publicPort}`];
const trusted = ['--trust-root', rootFile, '--measurements', measurementsFile];
const answerJson = (nonce: Buffer) => {
  const { document, statement: stated } = attesting.answer(nonce);
  return JSON.stringify({ version: 1, document, statement: stated });
};
const httpPort = await httpEndpoint(t, (nonce) => [200, answerJson(Buffer.from(nonce, 'hex'))]);
const url = ['--url', `http://127.0.0.1:${httpPort}`];

async function verifying(...words: readonly string[]) {
  const { code, stdout, stderr } = await acraEnclave(['verify', ...words, '--json']);
  return { code, stderr, report: stdout === '' ? undefined : (JSON.parse(stdout) as VerifyReport) };
}

t.test('verifies an enclave by its public port, and compares the key of that connection', async (t) => {
  const { code, report } = await verifying(...connect, ...trusted);
  t.equal(code, 0);
  t.equal(report?.verdict, 'pass');
  for (const claim of ['nonce', 'age', 'pcr0', 'pcr16', 'expected-statement', 'tls-key', 'tls-key-origin', 'hpke-key'])
    t.equal(report && resultOf(report, claim), 'pass', claim);
});

t.test('fails unless told to trust the emulated root, and then says so in its first line', async (t) => {
  const { code, report } = await verifying(...connect, '--measurements', measurementsFile);
  t.equal(code, 1);
  t.same(report && failuresOf(report), ['root ATTESTATION_ROOT_MISMATCH']);
  const { stdout } = await acraEnclave(['verify', ...connect, ...trusted]);
  t.match(stdout.split('\n')[0], /^NOT AWS: .*root\.pem/);
  t.match(stdout.trimEnd().split('\n').at(-1), /^verified: /);
});

t.test('verifies by HTTP, with the key that the PostgreSQL port shows', async (t) => {
  const port = await postgresPort(t, attesting.identity);
  const { code, report } = await verifying(...url, '--tls', `localhost:${port}`, ...trusted);
  t.equal(code, 0);
  t.equal(report && resultOf(report, 'tls-key'), 'pass');
  const without = await verifying(...url, ...trusted);
  t.equal(without.code, 0);
  t.equal(without.report && resultOf(without.report, 'tls-key'), 'not-run');
});

t.test('fails where the connection ends at another key (ATTESTATION_TLS_KEY_MISMATCH)', async (t) => {
  const between = await tlsIdentity();
  const port = await attestationPort(t, between, honest(attesting));
  const direct = await verifying('--connect', `localhost:${port}`, ...trusted);
  t.equal(direct.code, 1);
  t.same(direct.report && failuresOf(direct.report), ['tls-key ATTESTATION_TLS_KEY_MISMATCH']);
  const postgres = await postgresPort(t, between);
  const { report } = await verifying(...url, '--tls', `localhost:${postgres}`, ...trusted);
  t.same(report && failuresOf(report), ['tls-key ATTESTATION_TLS_KEY_MISMATCH']);
});

t.test(
  'asks with a nonce of its own each time, and refuses an answer to another (ATTESTATION_NONCE_MISMATCH)',
  async (t) => {
    const nonces: string[] = [];
    const port = await httpEndpoint(t, (nonce) => {
      nonces.push(nonce);
      return [200, answerJson(Buffer.from(nonces[0] ?? '', 'hex'))];
    });
    t.equal((await verifying('--url', `http://127.0.0.1:${port}`, ...trusted)).code, 0);
    const { code, report } = await verifying('--url', `http://127.0.0.1:${port}`, ...trusted);
    t.equal(code, 1);
    t.same(report && failuresOf(report), ['nonce ATTESTATION_NONCE_MISMATCH']);
    t.match(nonces, [/^[0-9a-f]{64}$/, /^[0-9a-f]{64}$/]);
    t.not(nonces[0], nonces[1]);
  },
);

t.test(
  'says that rollback is not excluded, and fails where pinned keys are demanded (ATTESTATION_KEYS_UNPINNED)',
  async (t) => {
    const kept = new Attesting(attesting.identity, keptByParent('policy'));
    const root = join(temporaryFolder(t), 'root.pem');
    writeFileSync(root, kept.rootPem);
    const port = await attestationPort(t, kept.identity, honest(kept));
    const words = ['--connect', `localhost:${port}`, '--trust-root', root, '--pcr', `0=${PCR0}`];
    const told = await acraEnclave(['verify', ...words]);
    t.equal(told.code, 0);
    t.match(told.stdout, /ATTENTION: rollback not excluded .*\n\S*verified/);
    const demanded = await verifying(...words, '--require-pinned-keys');
    t.equal(demanded.code, 1);
    t.same(demanded.report && failuresOf(demanded.report), ['rollback ATTESTATION_KEYS_UNPINNED']);
    const allowed = await acraEnclave(['verify', ...words, '--require-pinned-keys', '--allow-policy-pin']);
    t.equal(allowed.code, 0);
    t.notMatch(allowed.stdout, 'ATTENTION');
    t.notMatch((await acraEnclave(['verify', ...connect, ...trusted])).stdout, 'ATTENTION', 'of keys in the image');
  },
);

t.test('demands measurements, or to be told that they are not judged (CLI_OPTION)', async (t) => {
  const { code, stderr } = await verifying(...connect, '--trust-root', rootFile);
  t.equal(code, 2);
  t.equal(JSON.parse(stderr).error.code, 'CLI_OPTION');
  const { code: open, stdout } = await acraEnclave([
    'verify',
    ...connect,
    '--trust-root',
    rootFile,
    '--no-measurements',
  ]);
  t.equal(open, 0);
  t.match(
    stdout.trimEnd().split('\n').at(-1),
    /^authentic, but of any image: .* which program runs there was not judged$/,
  );
});

t.test('writes no ca.pem of an enclave whose image nobody judged', async (t) => {
  const out = join(folder, 'unjudged');
  const { code } = await verifying(...connect, '--trust-root', rootFile, '--no-measurements', '--out', out);
  t.equal(code, 0);
  t.same(readdirSync(out).sort(), ['attestation.cose', 'report.json', 'statement.json']);
});

t.test('holds single registers to what options say', async (t) => {
  const right = await verifying(
    ...connect,
    '--trust-root',
    rootFile,
    '--pcr',
    `0=${PCR0}`,
    '--pcr',
    `8=${'09'.repeat(48)}`,
  );
  t.equal(right.code, 0);
  const role = ['--role-arn', 'arn:aws:iam::123456789012:role/Webserver', '--instance-id', 'i-1234567890abcdef0'];
  const { code, report } = await verifying(...connect, ...trusted, ...role);
  t.equal(code, 1);
  t.same(report && failuresOf(report), ['pcr3 ATTESTATION_PCR_MISMATCH', 'pcr4 ATTESTATION_PCR_MISMATCH']);
});

t.test('judges a saved answer at its own time, and says so', async (t) => {
  const nonce = Buffer.alloc(32, 7);
  const file = join(folder, 'answer.json');
  writeFileSync(file, answerJson(nonce));
  const saved = await verifying('--document', file, ...trusted, '--nonce', nonce.toString('hex'));
  t.equal(saved.code, 0);
  t.equal(saved.report?.judgedAt.by, 'document');
  t.equal(saved.report && resultOf(saved.report, 'age'), 'not-run');
  t.equal(saved.report && resultOf(saved.report, 'nonce'), 'pass');
  const { report } = await verifying('--document', file, ...trusted, '--max-age', '1h');
  t.equal(report?.judgedAt.by, 'clock');
  t.equal(report && resultOf(report, 'age'), 'pass');
  t.equal(report && resultOf(report, 'nonce'), 'not-run');
});

t.test('writes evidence, report and ca.pem when all passes, and can verify them again', async (t) => {
  const out = join(folder, 'out');
  const { code, stdout } = await acraEnclave(['verify', ...connect, ...trusted, '--out', out]);
  t.equal(code, 0);
  t.match(stdout, /ca\.pem is the root of an authority/);
  t.same(readdirSync(out).sort(), ['attestation.cose', 'ca.pem', 'report.json', 'statement.json']);
  t.equal(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')).verdict, 'pass');
  t.equal(new X509Certificate(readFileSync(join(out, 'ca.pem'))).subject, 'CN=test authority');
  const files = ['--document', join(out, 'attestation.cose'), '--statement', join(out, 'statement.json')];
  t.equal((await verifying(...files, ...trusted)).code, 0);
  t.equal((await verifying(...connect, ...trusted, '--out', out)).code, 0, 'over files of its own');
});

t.test('writes nothing when a claim fails, and never over files of others (CLI_VERIFY_FILE)', async (t) => {
  const out = join(folder, 'nothing');
  t.equal((await verifying(...connect, '--measurements', measurementsFile, '--out', out)).code, 1);
  t.notOk(existsSync(out));
  mkdirSync(out);
  writeFileSync(join(out, 'ca.pem'), 'of somebody else');
  const { code, stderr } = await verifying(...connect, ...trusted, '--out', out);
  t.equal(code, 2);
  t.equal(JSON.parse(stderr).error.code, 'CLI_VERIFY_FILE');
  t.same(readdirSync(out), ['ca.pem']);
});

for (const [why, code, words] of [
  ['a port where nobody listens', 'CLI_ATTESTATION_UNREACHABLE', ['--connect', 'localhost:1']],
  ['an endpoint where nobody listens', 'CLI_ATTESTATION_UNREACHABLE', ['--url', 'http://localhost:1']],
  ['a TLS port where nobody listens', 'CLI_ATTESTATION_UNREACHABLE', [...url, '--tls', 'localhost:1']],
] as const) {
  t.test(`ends with 69 for ${why} (${code})`, async (t) => {
    const outcome = await verifying(...words, ...trusted);
    t.equal(outcome.code, 69);
    t.equal(JSON.parse(outcome.stderr).error.code, code);
  });
}

t.test('ends with 69 and the reason when the enclave refuses (CLI_ATTESTATION_REFUSED)', async (t) => {
  const refusal = { type: 'refusal', code: 'REQUEST_RATE_LIMITED', message: 'ask\u001b[2J later' } as const;
  const port = await attestationPort(t, attesting.identity, (_request, socket) => socket.end(encodeFrame(refusal)));
  const { code, stderr } = await acraEnclave(['verify', '--connect', `localhost:${port}`, ...trusted]);
  t.equal(code, 69);
  t.match(stderr, 'CLI_ATTESTATION_REFUSED');
  t.match(stderr, 'REQUEST_RATE_LIMITED: ask\\x1b[2J later');
});

for (const words of [
  [...connect, ...url],
  [],
  [...connect, '--tls', 'localhost:5432'],
  [...connect, '--statement', 'x'],
  ['--connect', 'localhost'],
  ['--connect', 'localhost:0'],
  ['--url', 'ftp://localhost'],
  ['--url', 'http://user:secret@localhost'],
  [...connect, '--nonce', '00'],
  [...connect, '--pcr', '32=00'],
  [...connect, '--pcr', '0=00'],
  [...connect, ...trusted, '--no-measurements'],
  [...connect, '--no-measurements', ...trusted],
  [...connect, ...trusted, '--measurements', measurementsFile],
  [...connect, '--no-measurements', '--pcr', `0=${PCR0}`],
  [...connect, '--pcr', `0=${PCR0}`, '--pcr', `0=${'02'.repeat(48)}`],
  [...connect, '--pcr', `3=${PCR0}`],
  [...connect, '--max-age', 'soon'],
  [...connect, '--no-such-option'],
  ['--document', '/nonexistent', '--no-measurements'],
]) {
  t.test(`ends with 2 for wrong use: ${words.join(' ').replaceAll(folder, '').slice(0, 90)}`, async (t) => {
    const { code, report, stderr } = await verifying(...words);
    t.equal(code, 2);
    t.equal(report, undefined);
    t.match(
      JSON.parse(stderr).error.code,
      /^(CLI_(OPTION|USAGE|VERIFY_FILE)|ATTESTATION_(POLICY|TRUST_ROOT)_INVALID)$/,
    );
  });
}

t.test('names the fingerprint of the root that it trusts', async (t) => {
  const { report } = await verifying(...connect, ...trusted);
  t.equal(report?.trust.sha256, createHash('sha256').update(attesting.chain.root.der).digest('hex'));
});
