/** What `acra-enclave import` refuses, and that it then leaves nothing behind. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { acraEnclave } from '../support/acra-enclave.ts';

const SMALLEST = "version: v1\nname: small\ntarget: small:enclave\nsources: {app: 'small:1'}\n";

function written(t: Parameters<typeof temporaryFolder>[0], text: string) {
  const folder = temporaryFolder(t);
  const file = join(folder, 'enclaver.yaml');
  writeFileSync(file, text);
  return { folder, file, out: join(folder, 'new') };
}

for (const [what, text, message] of [
  ['a key that Enclaver does not know', `${SMALLEST}egres: {}\n`, /\(top level\): unknown key "egres"/],
  ['a key further in', `${SMALLEST}ingress: [{listen_port: 80, to: 81}]\n`, /ingress\.0: unknown key "to"/],
  ['a port that is none', `${SMALLEST}ingress: [{listen_port: 0}]\n`, /ingress\.0\.listen_port: found 0/],
  [
    'a port twice',
    `${SMALLEST}ingress: [{listen_port: 80}, {listen_port: 80}]\n`,
    /ingress\.1\.listen_port: .*entry 0/,
  ],
  ['a manifest without an image', 'version: v1\nname: a\ntarget: b\n', /sources: found nothing; must be/],
  ['an alias', `${SMALLEST}api: &a {listen_port: 1}\nx: *a\n`, /aliases are not allowed/],
  [
    'a number where a text must be',
    `${SMALLEST}egress: {allow: [127.1]}\n`,
    /egress\.allow\.0: found 127\.1; must be text/,
  ],
] as const) {
  t.test(`rejects ${what}, and writes nothing`, async (t) => {
    const { folder, file, out } = written(t, text);
    const { code, stderr } = await acraEnclave(['import', file, '--out', out]);
    t.equal(code, 78, stderr);
    t.match(stderr, message);
    t.same(readdirSync(folder), ['enclaver.yaml']);
  });
}

t.test('never writes over what is there (CLI_IMPORT_FOLDER)', async (t) => {
  const { file, out } = written(t, SMALLEST);
  mkdirSync(join(out, 'enclave'), { recursive: true });
  writeFileSync(join(out, 'enclave/enclave.yaml'), 'mine');
  const { code, stderr } = await acraEnclave(['import', file, '--out', out]);
  t.equal(code, 1);
  t.match(stderr, 'error CLI_IMPORT_FOLDER');
  t.equal(readFileSync(join(out, 'enclave/enclave.yaml'), 'utf8'), 'mine');
  t.same(readdirSync(out), ['enclave']);
});

t.test('leaves nothing half-written where it cannot write', async (t) => {
  const { file, folder } = written(t, SMALLEST);
  const closed = join(folder, 'closed');
  mkdirSync(closed);
  writeFileSync(join(closed, 'file'), '');
  chmodSync(closed, 0o500);
  const { code, stderr } = await acraEnclave(['import', file, '--out', join(closed, 'file', 'new')]);
  t.equal(code, 1);
  t.match(stderr, 'error CLI_IMPORT_FOLDER');
  t.same(readdirSync(closed), ['file']);
});

t.test('tells the same as JSON, each line with what became of it', async (t) => {
  const { file, out } = written(t, `${SMALLEST}ingress: [{listen_port: 8000}]\n`);
  const { code, stdout } = await acraEnclave(['import', file, '--out', out, '--json']);
  t.equal(code, 0);
  const { folder, files, decisions, changes } = JSON.parse(stdout);
  t.same([folder, files, decisions], [out, ['enclave/enclave.yaml', 'host-proxy.yaml', 'image.yaml'], 1]);
  t.match(changes, [{ field: 'version', found: 'v1', outcome: 'changed' }, ...[]]);
  t.match(
    changes.find(({ field }: { readonly field: string }) => field === 'ingress.0.listen_port'),
    { found: 8000, outcome: 'kept', places: [{ file: 'enclave', path: 'ingress.port-8000.to' }] },
  );
});
