/** What QEMU's security module really returned for a commitment, and the example in the specification that is made of it. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readStatedDocument } from '../../../attestation/document/stated-document.ts';
import {
  commitmentTo,
  decodeStatement,
  encodeStatement,
  pcrOfCommitment,
} from '../../../attestation/runtime/statement.ts';
import { decodeUserData } from '../../../attestation/runtime/user-data.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { PROJECT } from '../../project/imports.ts';

const vector = (name: string) => readFileSync(join(PROJECT, 'test/vectors/attestation', name));
const encoding = vector('qemu-committed.json');
const { payload } = readStatedDocument(vector('qemu-committed.bin'));
const pcr16 = payload.pcrs.get(toPcrIndex(16));
const specification = readFileSync(join(PROJECT, 'docs/specs/attestation-requests.md'), 'utf8');
const inTable = (name: string) => new RegExp(`^\\| ${name} \\| \`([0-9a-f]+)\` \\|$`, 'm').exec(specification)?.[1];

t.test('computes the value that QEMU’s module shows in PCR16', async (t) => {
  t.same(pcrOfCommitment(commitmentTo(encoding)), pcr16);
  t.same(encodeStatement(decodeStatement(encoding)), encoding);
});

t.test('computes it by nothing but SHA-384 too', async (t) => {
  const domain = Buffer.from('acra-enclave runtime statement v1\0');
  const commitment = createHash('sha384')
    .update(Buffer.concat([domain, encoding]))
    .digest();
  t.same(
    createHash('sha384')
      .update(Buffer.concat([Buffer.alloc(48), commitment]))
      .digest(),
    pcr16,
  );
});

t.test('keeps the values of the specification’s example', async (t) => {
  const { commitment, tlsKeySha256 } = decodeUserData(payload.userData ?? Buffer.alloc(0));
  t.ok(specification.includes(`\n${encoding.toString('utf8')}\n`), 'the encoding');
  t.equal(inTable('commitment'), commitment.toString('hex'));
  t.equal(inTable('PCR16'), pcr16?.toString('hex'));
  t.equal(inTable('`tls_key_sha256`'), tlsKeySha256.toString('hex'));
  t.equal(inTable('`user_data`'), payload.userData?.toString('hex'));
  t.same(commitment, commitmentTo(encoding));
  t.equal(payload.userData?.length, 120);
});

t.test('keeps the specification’s shell lines true', async (t) => {
  const [first = '', second = ''] = [...specification.matchAll(/^(\{ .*sha384sum) +# /gm)].map(([, line]) => line);
  const cwd = join(PROJECT, 'test/vectors/attestation');
  const run = (line: string, environment = {}) =>
    execFileSync('sh', ['-c', line.replace('statement.json', 'qemu-committed.json')], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    }).split(' ')[0];
  const commitment = run(first);
  t.equal(commitment, inTable('commitment'));
  try {
    t.equal(run(second, { commitment }), inTable('PCR16'));
  } catch (error) {
    t.comment(`no xxd here: ${String(error)}`);
  }
});
