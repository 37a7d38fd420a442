/** A release as its maker makes it and as somebody else verifies it, from clones of one commit in two surroundings. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Ended, PROJECT, runIn } from '../deploy/make-install.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { cloneProject, SURROUNDINGS } from './support/clone.ts';

const { version }: { version: string } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const VALIDATOR = join(PROJECT, 'test/packages/validator/main.mjs');
const AUTHOR = ['-c', 'user.name=maker', '-c', 'user.email=maker@example.org'];

const root = temporaryFolder(t);
const at = (...parts: readonly string[]): string => join(root, ...parts);

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
    execFileSync('git', [...AUTHOR, 'commit', '--quiet', '--allow-empty', '--all', '--message', 'release'], {
      cwd: source,
    });
    writeFileSync(join(source, 'left-over'), '');
    t.match(release(source, 'make', '--version', version), { code: 1, output: /left-over/ });
    rmSync(join(source, 'left-over'));
  },
);

function makeIn(index: number): string {
  const { umask = '', environment = {} } = SURROUNDINGS[index] ?? {};
  const [clone, output] = [at(`clone-${index}`), at(`release-${index}`)];
  cloneProject(clone, source);
  const node = `"${process.execPath}" --disable-warning=ExperimentalWarning`;
  const words = `--version ${version} --key /dev/fd/3 --output "${output}"`;
  execFileSync('sh', ['-c', `umask ${umask}; exec ${node} deploy/release.ts make ${words} 3<"${at('maker.key')}"`], {
    cwd: clone,
    env: { ...process.env, HOME: clone, ...environment },
  });
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

t.test('has a bill of materials that holds to the schema of CycloneDX 1.6', async (t) => {
  t.same(runIn('/', process.execPath, [VALIDATOR, join(made, `acra-enclave-${version}.cdx.json`)]), {
    code: 0,
    output: '',
  });
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
