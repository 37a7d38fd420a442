/** Programs that are not ours: where they are looked for, where they start, and as whom. */
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test as TapTest } from 'tap';
import { candidatesOf } from '../../../system/processes/candidates.ts';
import { type LaunchSpec, launch } from '../../../system/processes/launch.ts';
import type { LaunchPlace } from '../../../system/processes/launch-plan.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

async function run(
  t: TapTest,
  spec: Partial<LaunchSpec> & Pick<LaunchSpec, 'program'>,
  place: Partial<LaunchPlace> = {},
) {
  const launched = launch({
    arguments: [],
    environment: {},
    secrets: [],
    confinement: { user: undefined, enclose: () => undefined },
    place: { workingFolder: '/', ...place },
    ...spec,
  });
  t.teardown(() => launched.process.kill('SIGKILL'));
  const [[printed = '', complained = ''], failure, [code, killedBy]] = await Promise.all([
    Promise.all(launched.output.map((stream) => text(stream))),
    launched.failure,
    once(launched.process, 'close'),
  ]);
  return { printed: printed.trim(), complained: complained.trim(), failure, code, killedBy };
}

function script(folder: string, name: string, says: string, mode = 0o755): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `#!/bin/sh\necho ${says} "$0"\n`);
  chmodSync(join(folder, name), mode);
}

t.test('lets a program open its output by name, as its user too', async (t) => {
  const users = isRoot ? [undefined, { uid: NOBODY, gid: NOBODY }] : [undefined];
  const words = ['-c', 'echo said >/dev/stdout && echo told >/dev/stderr'];
  for (const user of users) {
    const place = user === undefined ? {} : { user };
    const { printed, complained } = await run(t, { program: '/bin/sh', arguments: words }, place);
    t.same([printed, complained], ['said', 'told']);
  }
});

t.test('has no program die of a signal that Node cannot name, and be told as an end with 0', async (t) => {
  for (const signal of ['32', '33', '34', 'RTMIN+3', '64']) {
    const { code, killedBy } = await run(t, { program: 'bash', arguments: ['-c', `kill -${signal} $$; exit 7`] });
    t.same([code, killedBy], [7, null], signal);
  }
});

t.test('lets a program catch those signals', async (t) => {
  const { code } = await run(t, {
    program: 'perl',
    arguments: ['-e', '$SIG{NUM37} = sub { exit 9 }; kill 37, $$; exit 7'],
  });
  t.equal(code, 9);
});

t.test('looks in PATH of the program’s own environment, past what may not be executed', async (t) => {
  const root = temporaryFolder(t);
  const [first, second, third] = ['a', 'b', 'c'].map((name) => join(root, name)) as [string, string, string];
  script(first, 'tool', 'first', 0o644);
  script(second, 'tool', 'second');
  script(third, 'tool', 'third');
  const environment = { PATH: `${root}/none:${first}:${second}:${third}` };
  const { printed, failure } = await run(t, { program: 'tool', environment });
  t.equal(failure, undefined);
  t.match(printed, /^second /);
});

t.test('tells that a program may not be executed rather than that another folder has none', async (t) => {
  const root = temporaryFolder(t);
  script(root, 'tool', 'never', 0o644);
  const environment = { PATH: `${root}:${root}/none` };
  t.match((await run(t, { program: 'tool', environment })).failure, { step: 'execute', errno: 'EACCES' });
  t.match((await run(t, { program: 'other', environment })).failure, { step: 'execute', errno: 'ENOENT' });
});

t.test('looks for no name with a slash, and starts in the working folder', async (t) => {
  const root = temporaryFolder(t);
  script(root, 'tool', 'here');
  t.match((await run(t, { program: './tool' }, { workingFolder: root })).printed, /^here \.\/tool$/);
  t.same(candidatesOf('a/b', '/usr/bin'), ['a/b']);
  t.same(candidatesOf('b', '/usr/bin::/bin'), ['/usr/bin/b', 'b', '/bin/b']);
});

t.test('tells a working folder that cannot be entered', async (t) => {
  const place = { workingFolder: join(temporaryFolder(t), 'none') };
  t.match((await run(t, { program: '/bin/true' }, place)).failure, { step: 'folder', errno: 'ENOENT' });
});

t.test('passes an environment on that is longer than an argument may be', async (t) => {
  const environment = { LONG: 'ü😀'.repeat(20_000), OTHER: 'x'.repeat(120_000) };
  const { printed } = await run(t, {
    program: process.execPath,
    arguments: [
      '-p',
      'JSON.stringify([process.env.LONG.length, process.env.LONG.slice(-3), process.env.OTHER.length])',
    ],
    environment,
  });
  t.same(JSON.parse(printed), [60_000, 'ü😀', 120_000]);
});

t.test(
  'becomes the user before anything of the program runs, without groups and capabilities',
  {
    skip: !isRoot && 'only root may become another user',
  },
  async (t) => {
    const command = ['-c', 'id -u; id -g; id -G; grep -E "^Cap(Prm|Eff|Bnd)|^NoNewPrivs" /proc/self/status | cut -f2'];
    for (const uid of [NOBODY, 0]) {
      const { printed } = await run(t, { program: '/bin/sh', arguments: command }, { user: { uid, gid: 123 } });
      const none = '0000000000000000';
      t.same(printed.split('\n'), [String(uid), '123', '123', none, none, none, '1'], `user ${uid}`);
    }
  },
);

t.test(
  'tells a working folder that the user may not enter',
  {
    skip: !isRoot && 'only root may become another user',
  },
  async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o700);
    const place = { user: { uid: NOBODY, gid: NOBODY }, workingFolder: folder };
    t.match((await run(t, { program: '/bin/true' }, place)).failure, { step: 'folder', errno: 'EACCES' });
  },
);

t.test(
  'has nothing of the machine but the new root',
  { skip: !isRoot && 'only root may change the root' },
  async (t) => {
    const root = temporaryFolder(t);
    const { failure } = await run(t, { program: '/bin/true' }, { root });
    t.match(failure, { step: 'execute', errno: 'ENOENT' });
    t.match((await run(t, { program: '/bin/true' }, { root: join(root, 'none') })).failure, {
      step: 'enter',
      errno: 'ENOENT',
    });
  },
);
