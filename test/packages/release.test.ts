/** A release as its maker makes it and as somebody else verifies it, from clones of one commit in two surroundings. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { sha256Of } from '../../deploy/release/sums.ts';
import { type Ended, PROJECT, runIn } from '../deploy/make-install.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { addPoisonedPackages, cloneCommit, cloneProject, SURROUNDINGS } from './support/clone.ts';
import { makeRelease } from './support/making.ts';
import { packagesIn } from './support/release-parts.ts';

const { version }: { version: string } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const VALIDATOR = join(PROJECT, 'test/packages/validator/main.mjs');
const AUTHOR = ['-c', 'user.name=maker', '-c', 'user.email=maker@example.org'];
/** Of a package in the npm archive. */
const PINO = 'package/lib/node_modules/pino/pino.js';
const POISON = '// a byte that package-lock.json does not name';

const root = temporaryFolder(t);
const at = (...parts: readonly string[]): string => join(root, ...parts);
const commitIn = (folder: string): void => {
  const words = ['commit', '--quiet', '--allow-empty', '--all', '--message', 'release'];
  execFileSync('git', [...AUTHOR, ...words], { cwd: folder });
};

interface Component {
  readonly type: string;
  readonly purl: string;
  readonly hashes?: readonly object[];
  readonly licenses?: readonly object[];
}

interface Subject {
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

function writeKey(name: string): void {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(at(`${name}.key`), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  writeFileSync(at(`${name}.pub`), publicKey.export({ format: 'pem', type: 'spki' }));
}
for (const name of ['maker', 'stranger']) writeKey(name);

const release = (folder: string, ...args: readonly string[]): Ended =>
  runIn(folder, process.execPath, ['--disable-warning=ExperimentalWarning', 'deploy/release.ts', ...args]);
const verifyAt = (folder: string, ...args: readonly string[]): Ended => release(PROJECT, 'verify', folder, ...args);

/** This commit, with a day in its change log. */
const source = at('source');
cloneProject(source);

t.test(
  'rejects a version without a day in CHANGELOG.md, another version, and a checkout that differs from its commit',
  async (t) => {
    const changelog = readFileSync(join(source, 'CHANGELOG.md'), 'utf8');
    t.match(release(source, 'make', '--version', '9.9.9'), { code: 1, output: /RELEASE_VERSION|another version/ });
    if (changelog.includes(`## ${version}, unreleased`))
      t.match(release(source, 'make', '--version', version), { code: 1, output: /unreleased/ });
    writeFileSync(
      join(source, 'CHANGELOG.md'),
      changelog.replace(`## ${version}, unreleased`, `## ${version}, 2026-12-01`),
    );
    t.match(release(source, 'make', '--version', version), {
      code: 1,
      output: /differs from its commit; found: CHANGELOG\.md/,
    });
    commitIn(source);
    writeFileSync(join(source, 'left-over'), '');
    t.match(release(source, 'make', '--version', version), { code: 1, output: /left-over/ });
    const making = { clone: source, home: at('home') };
    t.match(makeRelease(making, ''), { code: 2, output: /needs VERSION=x\.y\.z/ });
    t.match(makeRelease(making, `VERSION=${version}`), { code: 2, output: /error RELEASE_COMMIT: .*left-over/s });
    rmSync(join(source, 'left-over'));
  },
);

t.test('rejects a package whose bytes are not those of the digest in package-lock.json', async (t) => {
  const clone = at('other-digest');
  cloneCommit(clone, source);
  const lockFile = join(clone, 'package-lock.json');
  const lock = JSON.parse(readFileSync(lockFile, 'utf8'));
  lock.packages['node_modules/pino'].integrity = `sha512-${Buffer.alloc(64).toString('base64')}`;
  writeFileSync(lockFile, JSON.stringify(lock));
  commitIn(clone);
  const { code, output } = makeRelease({ clone, home: at('home') }, `VERSION=${version}`);
  t.equal(code, 2);
  t.match(output, /EINTEGRITY.*error RELEASE_PACKAGES: /s);
  t.notOk(existsSync(join(clone, 'build/release')));
  t.same(readdirSync(at('home/.cache/acra-enclave')), [], 'nothing is left of it');
});

/** The second clone has packages that somebody changed; make alone decides what is shipped. */
function makeIn(index: number): string {
  const [clone, output] = [at(`clone-${index}`), at(`release-${index}`)];
  cloneCommit(clone, source);
  if (index > 0) addPoisonedPackages(clone, POISON);
  const { code, output: said } = makeRelease(
    { clone, home: at(`home-${index}`), ...SURROUNDINGS[index] },
    `VERSION=${version} KEY=/dev/fd/3 FOLDER="${output}" 3<"${at('maker.key')}"`,
  );
  if (code !== 0) throw new Error(said);
  return output;
}

const [made = '', again = ''] = SURROUNDINGS.map((_, index) => makeIn(index));
const names = readdirSync(made).sort();

t.test('has the same bytes, signatures too, from two clones in two surroundings', async (t) => {
  t.same(readdirSync(again).sort(), names);
  for (const name of names) t.ok(readFileSync(join(made, name)).equals(readFileSync(join(again, name))), name);
  t.equal(names.length, 8, names.join(', '));
});

t.test("is verified by its maker's public key, and by sha256sum and OpenSSL", async (t) => {
  t.match(verifyAt(made, '--key', at('maker.pub')), {
    code: 0,
    output: new RegExp(`release ${version} of commit [0-9a-f]{40}`),
  });
  t.equal(runIn(made, 'sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS']).code, 0);
  const options = [
    '-verify',
    '-pubin',
    '-inkey',
    at('maker.pub'),
    '-rawin',
    '-in',
    'SHA256SUMS',
    '-sigfile',
    'SHA256SUMS.sig',
  ];
  t.equal(runIn(made, 'openssl', ['pkeyutl', ...options]).code, 0);
});

t.test('says loudly that nobody vouches where no key is demanded, and does not succeed', async (t) => {
  t.match(verifyAt(made), { code: 2, output: /NOT SIGNED/ });
});

t.test('ships no byte of node_modules that package-lock.json does not name', async (t) => {
  const clone = at('clone-1');
  const flags = ['--disable-warning=ExperimentalWarning', 'deploy/npm-package.ts', '--output', at('as-it-lies')];
  t.equal(runIn(clone, process.execPath, flags).code, 0);
  const pinoOf = (folder: string): string =>
    execFileSync('tar', ['-xzOf', join(folder, `acra-enclave-${version}.tgz`), PINO], { encoding: 'utf8' });
  t.ok(pinoOf(at('as-it-lies')).endsWith(POISON), 'it is in a package of what lies there');
  t.notMatch(pinoOf(again), POISON, 'it is in no release');
});

const billFile = join(made, `acra-enclave-${version}.cdx.json`);

t.test('has a bill of materials that holds to the schema of CycloneDX 1.6', async (t) => {
  t.same(runIn('/', process.execPath, [VALIDATOR, billFile]), { code: 0, output: '' });
});

t.test('lists in it the packages that are shipped or asked for, with digest and licence, and no others', async (t) => {
  const { components }: { components: readonly Component[] } = JSON.parse(readFileSync(billFile, 'utf8'));
  const libraries = components.filter(({ type }) => type === 'library');
  const [npm, verifier, debian] = [
    `acra-enclave-${version}.tgz`,
    `acra-enclave-verify-${version}.tgz`,
    names.find((name) => name.endsWith('.deb')) ?? '',
  ].map((name) => packagesIn(join(made, name), at(`unpacked-${name}`)));
  t.same(libraries.map(({ purl }) => purl).sort(), [...(npm ?? [])].sort());
  const others = [...(verifier ?? []), ...(debian ?? [])];
  t.ok(others.length > 20);
  t.same(
    others.filter((purl) => !npm?.has(purl)),
    [],
  );
  t.same(
    libraries.filter(({ hashes = [], licenses = [] }) => hashes.length !== 1 || licenses.length !== 1),
    [],
  );
});

t.test('states in its provenance commit, packages, maintainer and every file, by their digests', async (t) => {
  const envelope = JSON.parse(readFileSync(join(made, `acra-enclave-${version}.provenance.json`), 'utf8'));
  const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
  const { buildDefinition } = statement.predicate;
  const head = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: source, encoding: 'utf8' }).trim();
  t.same(buildDefinition.resolvedDependencies, [
    { name: 'source', digest: { gitCommit: head } },
    { name: 'package-lock.json', digest: { sha256: sha256Of(readFileSync(join(source, 'package-lock.json'))) } },
  ]);
  t.match(buildDefinition.externalParameters, { version, maintainer: /<.*>/ });
  t.same(
    statement.subject.map(({ name, digest }: Subject) => [name, digest.sha256]),
    names
      .filter((name) => !/^SHA256SUMS|\.provenance\.json$/.test(name))
      .map((name) => [name, sha256Of(readFileSync(join(made, name)))]),
  );
});

interface Damage {
  readonly what: string;
  readonly damage: (folder: string) => void;
  readonly key?: string;
}

const DAMAGES: readonly Damage[] = [
  { what: 'another key', damage: () => undefined, key: 'stranger.pub' },
  { what: 'a changed byte', damage: (folder) => appendFileSync(join(folder, 'RELEASE_NOTES.md'), ' ') },
  { what: 'a missing file', damage: (folder) => rmSync(join(folder, 'RELEASE_NOTES.md')) },
  { what: 'a file that nobody listed', damage: (folder) => writeFileSync(join(folder, 'extra'), '') },
  {
    what: 'a signature of another key',
    damage: (folder) =>
      writeFileSync(
        join(folder, 'SHA256SUMS.sig'),
        sign(undefined, readFileSync(join(folder, 'SHA256SUMS')), readFileSync(at('stranger.key'))),
      ),
  },
  {
    what: 'a bill of materials that is none',
    damage: (folder) => writeFileSync(join(folder, basename(billFile)), '{'),
  },
  { what: 'missing sums', damage: (folder) => rmSync(join(folder, 'SHA256SUMS')) },
  { what: 'a missing signature', damage: (folder) => rmSync(join(folder, 'SHA256SUMS.sig')) },
  {
    what: 'a changed file whose sum was changed too',
    damage: (folder) => {
      appendFileSync(join(folder, 'RELEASE_NOTES.md'), ' ');
      const listed = readdirSync(folder)
        .filter((name) => !name.startsWith('SHA256SUMS'))
        .sort();
      writeFileSync(join(folder, 'SHA256SUMS'), execFileSync('sha256sum', listed, { cwd: folder }));
    },
  },
];

for (const { what, damage, key = 'maker.pub' } of DAMAGES) {
  t.test(`rejects ${what}`, async (t) => {
    const folder = join(temporaryFolder(t), 'release');
    cpSync(made, folder, { recursive: true });
    damage(folder);
    t.match(verifyAt(folder, '--key', at(key)), { code: 1, output: /what to do: Do not install them/ });
  });
}

t.test('rejects keys that cannot sign or verify, and a folder that is not there, by their codes', async (t) => {
  const locked = at('locked.key');
  const cipher = ['pkcs8', '-topk8', '-in', at('maker.key'), '-out', locked, '-passout', 'pass:secret'];
  execFileSync('openssl', cipher, { stdio: 'ignore' });
  const RELEASE_KEY = { code: 1, output: /error RELEASE_KEY: .*what to do: Name a PEM file/s };
  t.match(release(source, 'make', '--version', version, '--key', locked), RELEASE_KEY);
  t.match(release(source, 'make', '--version', version, '--key', at('no.key')), RELEASE_KEY);
  t.match(verifyAt(made, '--key', at('maker.key')), RELEASE_KEY);
  t.match(verifyAt(at('nowhere')), { code: 1, output: /error RELEASE_FOLDER: / });
  t.match(verifyAt(temporaryFolder(t)), { code: 1, output: /error RELEASE_INVALID: .*is no release/ });
});
