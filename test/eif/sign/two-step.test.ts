/** Signing with a key that is elsewhere: print, sign outside, attach. */
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { EifError } from '../../../eif/errors.ts';
import { readEif } from '../../../eif/format/reader.ts';
import { parseSignatureSection } from '../../../eif/format/signature.ts';
import { signImage } from '../../../eif/sign/sign.ts';
import { parseImageSignature } from '../../../eif/sign/signature.ts';
import { attachSignature, printDigest } from '../../../eif/sign/two-step.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { COMPLETE, TOY, writeImage } from '../support/images.ts';
import { chainOf, keyOf, NOW_MS, SIGNERS, type SignerName, vector } from '../support/vectors.ts';

/** What an HSM does: it sees the bytes to sign and nothing else. */
function signOutside(name: SignerName, hash: string, bytes: Buffer, dsaEncoding: 'der' | 'ieee-p1363'): Buffer {
  const key = createPrivateKey(readFileSync(vector(`${name}.key.pem`)));
  return sign(hash, bytes, { key, dsaEncoding });
}

t.test('prints what is to be signed, in the bytes of the format', async (t) => {
  const chain = await chainOf('es384');
  const { pcr0, toBeSigned, digest, algorithm } = await printDigest(await writeImage(t, TOY), chain, NOW_MS);
  t.equal(algorithm.name, 'ES384');
  t.match(pcr0.toString('hex'), /^5ac5180f/);
  const register = 'a26e72656769737465725f696e646578006e72656769737465725f76616c75659830';
  const start = `846a5369676e61747572653144a10138224058`;
  t.match(toBeSigned.toString('hex'), new RegExp(`^${start}..${register}`));
  t.same(digest, createHash('sha384').update(toBeSigned).digest());
});

for (const name of SIGNERS) {
  t.test(`attaches a signature by ${name}, raw or DER, and gives the same file`, async (t) => {
    const input = await writeImage(t, COMPLETE);
    const chain = await chainOf(name);
    const { algorithm, toBeSigned } = await printDigest(input, chain, NOW_MS);
    const der = signOutside(name, algorithm.hash, toBeSigned, 'der');
    const fromDer = join(dirname(input), 'der.eif');
    await attachSignature({ input, output: fromDer, chain, nowMs: NOW_MS }, der);
    const { coseSign1 } = parseSignatureSection((await readEif(fromDer)).signature!);
    const fromRaw = join(dirname(input), 'raw.eif');
    await attachSignature({ input, output: fromRaw, chain, nowMs: NOW_MS }, parseImageSignature(coseSign1).signature);
    t.same(readFileSync(fromRaw), readFileSync(fromDer));
  });

  t.test(`gives for ${name} the file that signing at once gives, also of a signed image`, async (t) => {
    const input = await writeImage(t, COMPLETE);
    const [once, again] = ['once.eif', 'again.eif'].map((file) => join(dirname(input), file)) as [string, string];
    const chain = await chainOf(name);
    await signImage({ input, output: once, chain, nowMs: NOW_MS }, await keyOf(name));
    const { signature } = parseImageSignature(parseSignatureSection((await readEif(once)).signature!).coseSign1);
    await attachSignature({ input, output: again, chain, nowMs: NOW_MS }, signature);
    t.same(readFileSync(again), readFileSync(once));
    await attachSignature({ input: once, output: again, chain, nowMs: NOW_MS }, signature);
    t.same(readFileSync(again), readFileSync(once));
  });
}

t.test('rejects a signature of another image or key (EIF_SIGNATURE_INVALID)', async (t) => {
  const input = await writeImage(t, COMPLETE);
  const output = join(dirname(input), 'signed.eif');
  const chain = await chainOf('es384');
  const other = await printDigest(await writeImage(t, { ...COMPLETE, cmdline: Buffer.from('other') }), chain, NOW_MS);
  const ofOther = signOutside('es384', 'sha384', other.toBeSigned, 'ieee-p1363');
  const attach = (signature: Buffer) => attachSignature({ input, output, chain, nowMs: NOW_MS }, signature);
  for (const signature of [ofOther, Buffer.alloc(96), Buffer.alloc(96, 0xff)]) {
    await rejectsCode(() => attach(signature), EifError, 'EIF_SIGNATURE_INVALID');
  }
  t.notOk(existsSync(output));
});

t.test('rejects what is neither raw nor DER (EIF_SIGNATURE_ENCODING)', async (t) => {
  const input = await writeImage(t, COMPLETE);
  const output = join(dirname(input), 'signed.eif');
  const chain = await chainOf('es384');
  for (const signature of [Buffer.alloc(0), Buffer.alloc(64), Buffer.from('MGUCMQ==')]) {
    const attach = () => attachSignature({ input, output, chain, nowMs: NOW_MS }, signature);
    await rejectsCode(attach, EifError, 'EIF_SIGNATURE_ENCODING');
  }
  t.notOk(existsSync(output));
});

t.test('rejects an expired certificate in either step (EIF_CERTIFICATE_EXPIRED)', async (t) => {
  const input = await writeImage(t, COMPLETE);
  const chain = await chainOf('es384-short');
  await rejectsCode(() => printDigest(input, chain, NOW_MS), EifError, 'EIF_CERTIFICATE_EXPIRED');
  const attach = () => attachSignature({ input, output: input, chain, nowMs: NOW_MS }, Buffer.alloc(96));
  await rejectsCode(attach, EifError, 'EIF_CERTIFICATE_EXPIRED');
});
