/** The npm package as its users have it: packed from a clone, installed into an empty folder by an ordinary Node and npm, and used. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { writeSoundFolder } from '../cli/support/sound-folder.ts';
import { PROJECT, runIn } from '../deploy/make-install.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { cloneProject, SURROUNDINGS } from './support/clone.ts';
import { npmUser } from './support/npm-user.ts';

const { version }: { version: string } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const NAME = `acra-enclave-${version}.tgz`;
const NODE_FLAG = '--disable-warning=ExperimentalWarning';

const root = temporaryFolder(t);

function pack(index: number): string {
  const { umask = '', environment = {} } = SURROUNDINGS[index] ?? {};
  const clone = join(root, `clone-${index}`);
  cloneProject(clone);
  const command = `umask ${umask}; exec "${process.execPath}" ${NODE_FLAG} deploy/npm-package.ts`;
  execFileSync('sh', ['-c', command], { cwd: clone, env: { ...process.env, HOME: clone, ...environment } });
  return join(clone, 'build/packages', NAME);
}

const [archive = '', again = ''] = SURROUNDINGS.map((_, index) => pack(index));
const user = npmUser(root);
t.comment(`Node ${user.run('node', '--version').output.trim()}, npm ${user.run('npm', '--version').output.trim()}`);
const installed = user.run('npm', 'install', '--no-audit', '--no-fund', archive);

t.test(
  'has the same bytes from two clones in two places, with another umask, time zone, language and home',
  async (t) => {
    t.ok(readFileSync(archive).equals(readFileSync(again)));
  },
);

t.test(
  'holds JavaScript, what images are bundled from, and neither tests nor scripts that npm would run',
  async (t) => {
    const names = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' }).trim().split('\n');
    const ours = names.filter((name) => !name.startsWith('package/lib/node_modules/'));
    t.ok(ours.length > 1_000);
    t.ok(ours.includes('package/lib/docs/runbooks/down.md'), 'what the status page links to');
    t.same(
      ours.filter((name) =>
        /^package\/(node_modules\/|lib\/(test|bench|docs\/(?!runbooks\/)|node_modules\/\.))|\.test\.|\.(key|pem)$|package-lock/.test(
          name,
        ),
      ),
      [],
    );
    t.same(
      ours.filter(
        (name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !names.includes(name.replace(/ts$/, 'js')),
      ),
      [],
      'sources stand beside their JavaScript',
    );
    t.same(
      [...new Set(names.map((name) => name.split('/')[1]))].sort(),
      ['LICENSE', 'README.md', 'lib', 'package.json'],
      'what package managers look at has no packages in it',
    );
  },
);

t.test('installs in one command, and asks for nothing but exact versions', async (t) => {
  t.equal(installed.code, 0, installed.output);
  const manifest = JSON.parse(readFileSync(join(user.folder, 'node_modules/acra-enclave/package.json'), 'utf8'));
  t.notOk(manifest.scripts ?? manifest.dependencies ?? manifest.bundleDependencies);
  t.same(
    Object.values(manifest.optionalDependencies).filter((wanted) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(wanted))),
    [],
  );
  t.equal(user.run('npx', 'acra-enclave', '--version').output, `${version}\n`);
});

t.test('runs the demo to its end', async (t) => {
  const { code, output } = user.run('npx', 'acra-enclave', 'demo');
  t.equal(code, 0, output);
  t.match(output, /Every step held/);
});

t.test('runs the demo without an installation, by npx from the archive', async (t) => {
  const other = npmUser(join(root, 'other'));
  const { code, output } = other.run('npx', '--yes', '--package', archive, 'acra-enclave', 'demo');
  t.equal(code, 0, output);
});

/** Each in a folder and with a home of its own; what it installs is where its command is. */
const INSTALLERS = [
  {
    name: 'npm, globally',
    words: ['npm', 'install', '--global', '--prefix', 'prefix'],
    command: 'prefix/bin/acra-enclave',
  },
  { name: 'pnpm', words: ['npx', '--yes', 'pnpm@9.15.9', 'add'], command: 'node_modules/.bin/acra-enclave' },
  { name: 'yarn 1', words: ['npx', '--yes', 'yarn@1.22.22', 'add'], command: 'node_modules/.bin/acra-enclave' },
] as const;

for (const { name, words, command } of INSTALLERS) {
  t.test(`runs the demo where ${name} has installed it`, async (t) => {
    const other = npmUser(join(root, words.join('-')));
    const [program, ...options] = words;
    const added = other.run(program, ...options, archive);
    t.equal(added.code, 0, added.output);
    const { code, output } = other.run(join(other.folder, command), 'demo');
    t.equal(code, 0, output);
  });
}

t.test('helps with every command', async (t) => {
  const command = join(user.folder, 'node_modules/.bin/acra-enclave');
  const queue: (readonly string[])[] = [[]];
  for (const words of queue) {
    const { code, output } = user.run(command, ...words, '--help');
    t.equal(code, 0, `${words.join(' ')}: ${output.slice(0, 200)}`);
    const [, commands = ''] = output.split(/^Commands:$/m);
    for (const [, name = ''] of commands.matchAll(/^ {2}([a-z][\w-]*)/gm))
      if (name !== 'help') queue.push([...words, name]);
  }
  t.ok(queue.length > 50, `${queue.length} commands`);
});

t.test('builds the same image as a checkout, to the bit', async (t) => {
  const folder = temporaryFolder(t);
  const enclave = writeSoundFolder(join(folder, 'enclave'));
  writeFileSync(join(folder, 'bzImage'), 'KERNEL');
  writeFileSync(join(folder, 'image.yaml'), 'version: 1\nkernel: {file: bzImage}\ncompression: {zstd: 1}\n');
  const words = ['eif', 'build', '--enclave', enclave, '--recipe', join(folder, 'image.yaml'), '--output'];
  const ACRA_SERVER = '/usr/bin/env';
  const theirs = npmUser(root, { ACRA_SERVER }).run('npx', 'acra-enclave', ...words, join(folder, 'package'));
  t.equal(theirs.code, 0, theirs.output);
  const own = await acraEnclave([...words, join(folder, 'checkout')], { ACRA_SERVER });
  t.equal(own.code, 0, own.stderr);
  for (const name of ['acra-enclave.eif', 'measurements.json', 'bom.json'])
    t.ok(readFileSync(join(folder, 'package', name)).equals(readFileSync(join(folder, 'checkout', name))), name);
});

t.test('lets the verifier be imported by the Node that npm has', async (t) => {
  const program = "import { verify } from 'acra-enclave/verify'; process.stdout.write(typeof verify);";
  t.same(user.run('node', '--input-type=module', '--eval', program), { code: 0, output: 'function' });
});

t.test('rejects to start without the pinned Node, and says what to do', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'package'));
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  const { code, output } = runIn(folder, join(folder, 'package/lib/bin/acra-enclave'), ['demo']);
  t.equal(code, 69);
  t.match(output, /pinned Node does not run here.*\nwhat to do: .*--omit=optional/s);
});
