/** The verifier as a user of the library has it: packed, installed without the network, run in plain JavaScript, type-checked. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t from 'tap';
import { REAL_TIME_MS, realDocument } from '../attestation/support/aws-documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { filesIn, PROJECT, runIn } from './make-install.ts';

const MODULES = join(PROJECT, 'node_modules');

const PROGRAM = `
import { readFileSync } from 'node:fs';
import { AttestationError, verify } from 'acra-enclave/verify';

const document = readFileSync('document.bin');
const time = { by: 'clock', nowMs: ${REAL_TIME_MS} };
const report = verify({ document }, { measurements: 'not-judged', runtime: 'not-judged', time });
document[2000] ^= 1;
const forged = verify({ document }, { measurements: 'not-judged', runtime: 'not-judged', time });
let refused;
try {
  verify({ document }, { measurements: { pcrs: new Map() } });
} catch (error) {
  refused = error instanceof AttestationError && error.code;
}
process.stdout.write(JSON.stringify([report.verdict, report.document.moduleId, forged.verdict, refused]));
`;

const TYPED = `
import type { Claim, Demands, VerifyReport } from 'acra-enclave/verify';
import { AttestationError, readPublished, verify } from 'acra-enclave/verify';

const measurements = readPublished(Buffer.from('{}'), { require: [], maxAgeMs: undefined, nowMs: Date.now() });
const demands: Demands = { measurements, nonce: new Uint8Array(32), allow: { reportGuard: true } };
const report: VerifyReport = verify({ document: new Uint8Array(3) }, demands);
const failed: readonly Claim[] = report.claims.filter(({ result }) => result === 'fail');
// @ts-expect-error which image is meant is never left open
verify({ document: new Uint8Array(3) }, {});
export const codes = failed.map(({ claim, code }) => ({ claim, code }));
export const isOurs = (error: unknown) => error instanceof AttestationError && error.code === 'ATTESTATION_POLICY_INVALID';
`;

/** Of the release line that \`engines\` begins with; undefined when there is none on this machine. */
function oldestNode(): string | undefined {
  const oldest = /\d+/.exec(JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')).engines.node)?.[0];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  return folders
    .map((folder) => join(folder, 'node'))
    .find((node) => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.startsWith(`v${oldest}.`));
}

function npm(folder: string, ...args: readonly string[]): string {
  const { code, output } = runIn(folder, 'npm', [...args, '--offline', '--ignore-scripts', '--loglevel=error']);
  if (code !== 0) throw new Error(`npm ${args.join(' ')}: ${output}`);
  return output;
}

/** @returns the folder of a project that has installed the library from its archive, and nothing else than that needs */
function installLibrary(folder: string): string {
  const built = join(folder, 'library');
  const { code, output } = runIn('/', process.execPath, [join(PROJECT, 'deploy/library.ts'), '--output', built]);
  if (code !== 0) throw new Error(output);
  const packages = [built, join(MODULES, 'cbor-x'), join(MODULES, 'zod')];
  const archives = npm(folder, 'pack', ...packages)
    .trim()
    .split('\n');
  const user = join(folder, 'user');
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{ "private": true, "type": "module" }');
  const paths = archives.map((name) => join(folder, name));
  npm(user, 'install', '--omit=optional', '--no-audit', '--no-fund', ...paths);
  writeFileSync(join(user, 'document.bin'), realDocument);
  writeFileSync(join(user, 'program.js'), PROGRAM);
  writeFileSync(join(user, 'typed.ts'), TYPED);
  return user;
}

const user = installLibrary(temporaryFolder(t));

t.test('verifies from plain JavaScript, on this Node and on the oldest that is supported', (t) => {
  const nodes = [process.execPath, oldestNode()].filter((node) => node !== undefined);
  t.comment(nodes.map((node) => runIn('/', node, ['--version']).output.trim()).join(', '));
  const told = ['pass', 'i-020b6af9246d90e92-enc0183d09086c24190', 'fail', 'ATTESTATION_POLICY_INVALID'];
  for (const node of nodes) t.equal(runIn(user, node, ['program.js']).output, JSON.stringify(told), node);
  t.end();
});

t.test('has types that hold, and refuse a call without measurements', (t) => {
  mkdirSync(join(user, 'node_modules/@types'));
  for (const name of ['@types/node', 'undici-types'])
    symlinkSync(join(MODULES, name), join(user, 'node_modules', name));
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--types', 'node', '--module', 'nodenext'];
  const compiler = join(MODULES, 'typescript/bin/tsc');
  t.same(runIn(user, process.execPath, [compiler, ...options, '--target', 'es2023', 'typed.ts']), {
    code: 0,
    output: '',
  });
  t.end();
});

t.test('carries JavaScript and declarations only, and lets nothing else be imported', (t) => {
  const files = filesIn(join(user, 'node_modules/acra-enclave'));
  t.ok(files.includes('/attestation/verify/library.js'));
  t.same(
    files.filter((name) => !/\.js$|\.d\.ts$|^\/(package\.json|LICENSE)$/.test(name)),
    [],
  );
  const deep = ['--input-type=module', '--eval', "await import('acra-enclave/attestation/verify/verify.js')"];
  t.match(runIn(user, process.execPath, deep).output, 'ERR_PACKAGE_PATH_NOT_EXPORTED');
  t.end();
});

t.test('needs cbor-x and zod, and no other package', (t) => {
  const manifest = JSON.parse(readFileSync(join(user, 'node_modules/acra-enclave/package.json'), 'utf8'));
  t.same(Object.keys(manifest.dependencies), ['cbor-x', 'zod']);
  t.equal(manifest.private, true);
  t.end();
});
