/** From what an image says of itself to a program of enclave.yaml. */
import t from 'tap';
import { parse } from 'yaml';
import { programsSection } from '../../../../config/app/programs.ts';
import { OciError } from '../../../../eif/oci/errors.ts';
import { programDefaults } from '../../../../eif/oci/programs/defaults.ts';
import { programsYaml } from '../../../../eif/oci/programs/section.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { file } from '../support/programs.ts';
import { filesOf } from '../support/tree.ts';

const ACCOUNTS = [
  file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nweb:x:101:202::/srv:/bin/false\nodd\n'),
  file('etc/group', 'root:x:0:\nweb:x:202:\nssl:x:303:web,other\nadm:x:404:other\n'),
];
const RUN = { Cmd: ['serve'] };

t.test('takes command, environment, folder, signal, health check and ports as the image says them', async (t) => {
  const run = {
    Entrypoint: ['/bin/app', '--x'],
    Cmd: ['serve', 'a b'],
    Env: ['PATH=/usr/bin', 'A=b=c', 'EMPTY='],
    WorkingDir: '/srv',
    StopSignal: 'quit',
    Healthcheck: { Test: ['CMD-SHELL', 'curl -f localhost'] },
    ExposedPorts: { '8080/tcp': {}, '443': {}, '53/udp': {} },
    User: 'web',
  };
  const defaults = await programDefaults(run, await filesOf(t, ACCOUNTS));
  t.match(defaults, {
    command: ['/bin/app', '--x', 'serve', 'a b'],
    environment: { PATH: '/usr/bin', A: 'b=c', EMPTY: '' },
    workingFolder: '/srv',
    stopSignal: 'SIGQUIT',
    probe: ['/bin/sh', '-c', 'curl -f localhost'],
    ports: [443, 8_080],
    user: { uid: 101, gid: 202 },
  });
  t.ok(
    defaults.notes.some((note) => note.includes('ssl')),
    'a group that is not given',
  );
  t.ok(defaults.notes.some((note) => note.includes('53/udp')));
});

const USERS: readonly (readonly [string, number, number])[] = [
  ['', 0, 0],
  ['web', 101, 202],
  ['101', 101, 202],
  ['5000', 5_000, 0],
  ['web:ssl', 101, 303],
  ['web:9', 101, 9],
  ['7:web', 7, 202],
  ['7:8', 7, 8],
];
for (const [user, uid, gid] of USERS) {
  t.test(`takes the user ${JSON.stringify(user)} for ${uid}:${gid}`, async (t) => {
    const defaults = await programDefaults({ ...RUN, User: user }, await filesOf(t, ACCOUNTS));
    t.same(defaults.user, { uid, gid });
  });
}

t.test(
  'rejects a user or group that the image does not name, and an image without a program (EIF_OCI_CONFIGURATION)',
  async (t) => {
    const files = await filesOf(t, ACCOUNTS);
    for (const run of [{ ...RUN, User: 'nobody' }, { ...RUN, User: 'web:nobody' }, {}, undefined, { Cmd: [] }])
      await rejectsCode(() => programDefaults(run, files), OciError, 'EIF_OCI_CONFIGURATION');
  },
);

t.test('leaves out what it cannot take over, and says so', async (t) => {
  const run = {
    ...RUN,
    Env: ['with-dash=1', 'noequals', '__proto__=lost'],
    StopSignal: 'SIGRTMIN+3',
    Healthcheck: { Test: ['NONE'] },
    Volumes: { '/data': {} },
    ExposedPorts: { '0/tcp': {}, '70000': {}, '8000-8010/tcp': {} },
  };
  const { notes, ...rest } = await programDefaults(run, await filesOf(t, ACCOUNTS));
  t.match(rest, { environment: {}, stopSignal: undefined, probe: undefined, ports: [] });
  for (const word of [
    'root',
    '/data',
    'with-dash',
    'noequals',
    '__proto__',
    'SIGRTMIN+3',
    ' 0/tcp',
    '70000',
    '8000-8010',
  ])
    t.ok(
      notes.some((note) => note.includes(word)),
      word,
    );
});

t.test('says that a user cannot be had, for whom enclave.yaml has no number', async (t) => {
  for (const [user, isHad] of [
    ['65533', true],
    ['65534', false],
    ['1:65534', false],
  ] as const) {
    const { notes } = await programDefaults({ ...RUN, User: user }, await filesOf(t, ACCOUNTS));
    t.equal(
      notes.some((note) => note.includes('cannot be had')),
      !isHad,
      user,
    );
  }
});

t.test('takes a working folder that is relative, or goes up, as other container runtimes do', async (t) => {
  for (const [given, meant] of [
    ['srv/app', '/srv/app'],
    ['/srv/../opt/', '/opt/'],
    ['', '/'],
  ] as const) {
    const { workingFolder } = await programDefaults({ ...RUN, WorkingDir: given }, await filesOf(t, ACCOUNTS));
    t.equal(workingFolder, meant);
  }
});

t.test('prints a section that enclave.yaml takes, and means what the image says', async (t) => {
  const run = { ...RUN, User: 'web', Env: ['PATH=/bin', 'TEXT=a: "b"\n#c'], WorkingDir: '/srv', StopSignal: '2' };
  const defaults = await programDefaults({ ...run, ExposedPorts: { '80/tcp': {} } }, await filesOf(t, ACCOUNTS));
  const text = programsYaml(defaults, 'from\nsomewhere');
  const { app } = programsSection.parse(parse(text).programs);
  t.match(app, {
    command: ['serve'],
    user: { uid: 101, gid: 202 },
    environment: { PATH: '/bin', TEXT: 'a: "b"\n#c' },
    workingFolder: '/srv',
    stopSignal: 'SIGINT',
  });
  t.same(Object.keys(parse(text)), ['programs'], 'all else is comment');
  t.match(text, /^#.*port-80:$/m);
});
