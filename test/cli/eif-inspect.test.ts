/** `eif verify`, `diff`, `describe`, `extract` and `pcr` as a user or a script runs them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CpioItem } from '../../eif/cpio/manifest.ts';
import { writeCpio } from '../../eif/cpio/writer.ts';
import { type EifContent, writeEif } from '../../eif/format/writer.ts';
import { COMPLETE, TOY, writeBytes, writeImage } from '../eif/support/images.ts';
import { vector } from '../eif/support/vectors.ts';
import { PROJECT } from '../project/imports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';
import { writeSigner } from './support/signers.ts';

const HEX_PCR = /^[0-9a-f]{96}$/;
/** PCR0, 1 and 2 of the images of test/vectors/eif. */
const AWS = vector('aws-unsigned.eif');
const text = (value: unknown) => writeBytes(t, Buffer.from(JSON.stringify(value)));
const change = (image: string, at: number) => {
  const bytes = readFileSync(image);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return writeBytes(t, bytes);
};

interface Case {
  readonly what: string;
  readonly words: readonly string[];
  readonly code: number;
  /** On standard output, or on standard error where the code is not 0. */
  readonly says: string | RegExp;
}

const damaged = change(AWS, readFileSync(AWS).length - 1);
const otherPcrs = text({ PCR0: 'ab'.repeat(48) });
const invalidMetadata = await writeImage(t, TOY);

const CASES: readonly Case[] = [
  { what: 'verify: an intact image', words: ['verify', AWS], code: 0, says: /^valid$/m },
  { what: 'verify: metadata that break the format', words: ['verify', invalidMetadata], code: 1, says: /^not valid$/m },
  { what: 'verify: other PCRs', words: ['verify', AWS, '--pcrs', otherPcrs], code: 1, says: 'EIF_PCR_MISMATCH' },
  { what: 'verify: a damaged image', words: ['verify', damaged], code: 1, says: 'EIF_CRC' },
  { what: 'verify: no image at all', words: ['verify', otherPcrs], code: 1, says: 'EIF_TRUNCATED' },
  { what: 'verify: a file that is missing', words: ['verify', '/nonexistent'], code: 2, says: 'EIF_FILE_READ' },
  { what: 'verify: a folder', words: ['verify', '/'], code: 2, says: 'EIF_FILE_READ' },
  {
    what: 'verify: PCRs that are missing',
    words: ['verify', AWS, '--pcrs', '/nonexistent'],
    code: 2,
    says: 'EIF_FILE_READ',
  },
  { what: 'verify: PCRs that are none', words: ['verify', AWS, '--pcrs', AWS], code: 2, says: 'EIF_PCR_FILE_INVALID' },
  { what: 'verify: no argument', words: ['verify'], code: 2, says: 'missing required argument' },
  { what: 'verify: an unknown option', words: ['verify', AWS, '--strict'], code: 2, says: 'unknown option' },
  { what: 'verify: help', words: ['verify', '--help'], code: 0, says: '0 valid, 1 not valid' },
  { what: 'diff: the same file', words: ['diff', AWS, AWS], code: 0, says: 'equal to the bit' },
  {
    what: 'diff: another image',
    words: ['diff', AWS, vector('aws-es256.eif')],
    code: 1,
    says: 'signature sha256: nothing',
  },
  { what: 'diff: a damaged image', words: ['diff', AWS, damaged], code: 2, says: 'EIF_CRC' },
  { what: 'diff: a file that is missing', words: ['diff', AWS, '/nonexistent'], code: 2, says: 'EIF_FILE_READ' },
  { what: 'diff: one argument', words: ['diff', AWS], code: 2, says: 'missing required argument' },
  { what: 'diff: help', words: ['diff', '--help'], code: 0, says: '0 equal to the bit, 1 different' },
  { what: 'describe: an image', words: ['describe', AWS], code: 0, says: /^command line +reboot=k panic=30$/m },
  { what: 'describe: a damaged image', words: ['describe', damaged], code: 1, says: 'EIF_CRC' },
  { what: 'extract: a folder that exists', words: ['extract', AWS, '/tmp'], code: 1, says: 'EIF_OUTPUT_EXISTS' },
];

for (const { what, words, code, says } of CASES) {
  t.test(`${what} ends with ${code}`, async (t) => {
    const outcome = await acraEnclave(['eif', ...words]);
    t.equal(outcome.code, code);
    t.match(outcome.stdout + outcome.stderr, says);
  });
}

t.test('verify: tells what the guard in the image is configured to do, and warns of what it gives up', async (t) => {
  const example = readFileSync(join(PROJECT, 'examples/enclave.yaml'), 'utf8');
  const imageWith = async (yaml: string) => {
    const pieces: Buffer[] = [];
    const items: CpioItem[] = [
      { name: 'enclave', type: 'directory', mode: 0o755 },
      { name: 'enclave/enclave.yaml', type: 'file', mode: 0o644, source: { bytes: Buffer.from(yaml) } },
    ];
    for await (const piece of writeCpio(items, 'sorted')) pieces.push(Buffer.from(piece));
    return writeImage(t, { ...COMPLETE, ramdisks: [pieces] });
  };
  const strict = await acraEnclave(['eif', 'verify', await imageWith(example)]);
  t.match(strict.stdout, /^guard +mode enforce, relations listed\nvalid$/m, strict.stderr);
  const weak = await imageWith(example.replace(/^guard:$/m, 'guard:\n  mode: report'));
  t.match((await acraEnclave(['eif', 'verify', weak])).stdout, /^warning guard\.mode is report: .*plaintext/m);
  t.match(await json(t, 'eif', 'verify', weak), { isValid: true, guard: { mode: 'report', relations: 'listed' } });
  t.match(await json(t, 'eif', 'verify', await imageWith('guard: {mode: report}')), { isValid: true, guard: null });
});

async function json(t: Test, ...words: readonly string[]): Promise<unknown> {
  const { stdout, stderr } = await acraEnclave([...words, '--json']);
  t.equal(stderr, '');
  return JSON.parse(stdout);
}

t.test('tells programs all in JSON', async (t) => {
  const zeros = '0'.repeat(96);
  t.match(await json(t, 'eif', 'verify', AWS), {
    isValid: true,
    daysLeft: null,
    pcrs: { PCR0: HEX_PCR, PCR1: HEX_PCR, PCR2: HEX_PCR, PCR8: zeros },
    checks: [{ name: 'metadata' }, { name: 'signature', detail: 'unsigned' }],
  });
  t.match(await json(t, 'eif', 'describe', AWS), { EifVersion: 4, IsSigned: false, Measurements: { PCR0: HEX_PCR } });
  const differences = await json(t, 'eif', 'diff', AWS, vector('aws-es256.eif'));
  t.match(differences, [{ section: 'signature', field: 'sha256', a: null, b: /^[0-9a-f]{64}$/ }]);
  t.same(await json(t, 'eif', 'diff', AWS, AWS), []);
  const folder = join(temporaryFolder(t), 'parts');
  t.match(await json(t, 'eif', 'extract', AWS, folder), { folder, sections: [{ kind: 'kernel' }] });
  t.ok(existsSync(join(folder, 'manifest.json')));
});

t.test('tells programs its errors in JSON too', async (t) => {
  const { code, stdout, stderr } = await acraEnclave(['eif', 'verify', '/nonexistent', '--json']);
  t.equal(code, 2);
  t.equal(stdout, '');
  t.match(JSON.parse(stderr), { error: { code: 'EIF_FILE_READ', message: /nonexistent/, action: String } });
});

const ESCAPE = String.fromCharCode(0x1b);
const HOSTILE = `${ESCAPE}]0;owned${String.fromCharCode(0x07)}\r\n${String.fromCharCode(0x9b)}2J${String.fromCharCode(0x2028)}`;
const SHOWN = '\\x1b]0;owned\\x07\\x0d\\x0a\\x9b2J\\u2028';

async function hostile(t: Test): Promise<string> {
  const metadata = JSON.parse(COMPLETE.metadata.toString());
  const content: EifContent = {
    ...COMPLETE,
    cmdline: Buffer.from(`quiet ${HOSTILE}`),
    metadata: Buffer.from(JSON.stringify({ ...metadata, ImageName: HOSTILE })),
  };
  const path = join(temporaryFolder(t), 'hostile.eif');
  await writeEif(path, content);
  return path;
}

t.test('shows what an image would have a terminal obey instead of passing it on', async (t) => {
  const image = await hostile(t);
  for (const words of [
    ['describe', image],
    ['verify', image],
    ['diff', AWS, image],
  ]) {
    const { stdout } = await acraEnclave(['eif', ...words]);
    t.match(stdout, SHOWN);
    t.notMatch(stdout, /[^\P{Cc}\n]|[\p{Zl}\p{Zp}]/u);
  }
});

t.test('computes a register of exactly one thing', async (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  const { certificate } = await writeSigner(temporaryFolder(t), 'signer');
  const role = 'arn:aws:iam::123456789012:role/parent';
  const things: readonly (readonly [string, ...string[]])[] = [
    ['PCR', '--input', file],
    ['PCR3', '--role-arn', role],
    ['PCR4', '--instance-id', 'i-0123456789abcdef0'],
    ['PCR8', '--certificate', certificate],
  ];
  for (const [name, ...options] of things) {
    const [plain, forPrograms] = await Promise.all([acraEnclave(['pcr', ...options]), json(t, 'pcr', ...options)]);
    const value = (forPrograms as Record<string, string>)[name];
    t.match(value, HEX_PCR);
    t.equal(plain.stdout, `${name} ${value}\n`);
  }
  const { stdout } = await acraEnclave(['pcr', '--role-arn', 'arn:aws:iam::123456789012:role/Webserver']);
  t.match(stdout, /^PCR3 78fce75db17cd4e0a3fb8dad3ad128ca5e77edbb/, 'the value that the user guide of AWS prints');
  for (const options of [[], ['--input', file, '--role-arn', role]]) {
    const { code, stdout, stderr } = await acraEnclave(['pcr', ...options]);
    t.equal(code, 1);
    t.equal(stdout, '');
    t.match(stderr, 'CLI_OPTION');
  }
  t.match((await acraEnclave(['pcr', '--instance-id', 'x'])).stderr, 'EIF_PCR_INPUT');
});
