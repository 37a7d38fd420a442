import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AcraError } from '../../../acra/errors.ts';
import { locateAcraServer } from '../../../acra/obtain/locate.ts';
import { pullAcraServer } from '../../../acra/obtain/pull.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { directoryImage, fakeSkopeo, tinyElf } from '../support/fake-image.ts';

function withStandIn(t: Parameters<typeof temporaryFolder>[0]) {
  const folder = temporaryFolder(t);
  const main = join(folder, 'main.ts');
  writeFileSync(main, 'stand-in');
  const standIn = { program: process.execPath, args: [main] };
  return { folder, cacheFolder: join(folder, 'cache'), standIn };
}

async function withCachedImage(t: Parameters<typeof temporaryFolder>[0]) {
  const found = withStandIn(t);
  const image = directoryImage([
    [
      { path: 'acra-server', content: tinyElf(), mode: 0o755 },
      { path: 'lib/libthemis.so.0', content: 'themis' },
    ],
  ]);
  const tools = [fakeSkopeo(join(found.folder, 'tool'), image)];
  const environment = { PATH: process.env['PATH'] };
  await pullAcraServer({ cacheFolder: found.cacheFolder, environment, tools, signal: new AbortController().signal });
  return { ...found, tree: join(found.cacheFolder, 'acra-server-0.96.0') };
}

t.test('takes the program that ACRA_SERVER names, before all else', async (t) => {
  const { cacheFolder, standIn, tree } = await withCachedImage(t);
  const named = join(tree, '..', 'mine');
  writeFileSync(named, 'program', { mode: 0o755 });
  const found = await locateAcraServer({ environment: { ACRA_SERVER: named }, cacheFolder, standIn });
  t.match(found, {
    kind: 'path',
    program: realpathSync(named),
    leadingArguments: [],
    sha256: createHash('sha256').update('program').digest('hex'),
  });
});

t.test('rejects an ACRA_SERVER that is missing, a folder or not executable (ACRA_PROGRAM_UNUSABLE)', async (t) => {
  const { folder, cacheFolder, standIn } = withStandIn(t);
  const file = join(folder, 'file');
  writeFileSync(file, '', { mode: 0o644 });
  for (const ACRA_SERVER of [join(folder, 'none'), folder, file]) {
    const locate = () => locateAcraServer({ environment: { ACRA_SERVER }, cacheFolder, standIn });
    await rejectsCode(locate, AcraError, 'ACRA_PROGRAM_UNUSABLE');
  }
});

t.test('takes the cached image before the stand-in', async (t) => {
  const { cacheFolder, standIn, tree } = await withCachedImage(t);
  const found = await locateAcraServer({ environment: { ACRA_SERVER: '' }, cacheFolder, standIn });
  t.match(found, { kind: 'image', program: join(tree, 'acra-server') });
});

t.test('takes the stand-in last, and says loudly that it is one', async (t) => {
  const { cacheFolder, standIn } = withStandIn(t);
  const found = await locateAcraServer({ environment: {}, cacheFolder, standIn });
  t.match(found, { kind: 'stand-in', program: process.execPath, leadingArguments: standIn.args });
  t.match(found.description, 'not for protecting data');
});

const changes: [string, (tree: string) => void][] = [
  ['a changed file', (tree) => writeFileSync(join(tree, 'acra-server'), 'other')],
  ['a missing file', (tree) => rmSync(join(tree, 'lib/libthemis.so.0'))],
  ['an added file', (tree) => writeFileSync(join(tree, 'lib/libevil.so'), 'x')],
  ['an added link', (tree) => symlinkSync('/etc/passwd', join(tree, 'lib/libevil.so'))],
  ['a missing lock file', (tree) => rmSync(`${tree}.lock.json`)],
];
for (const [what, change] of changes) {
  t.test(`rejects a cache with ${what}, instead of falling back (ACRA_CACHE_CHANGED)`, async (t) => {
    const { cacheFolder, standIn, tree } = await withCachedImage(t);
    change(tree);
    await rejectsCode(
      () => locateAcraServer({ environment: {}, cacheFolder, standIn }),
      AcraError,
      'ACRA_CACHE_CHANGED',
    );
  });
}

t.test('rejects a lock file that is damaged or leads elsewhere (ACRA_LOCK_INVALID)', async (t) => {
  const { cacheFolder, standIn, tree } = await withCachedImage(t);
  const file = `${tree}.lock.json`;
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  for (const text of ['{', JSON.stringify({ ...lock, program: '../../evil' }), JSON.stringify({ ...lock, more: 1 })]) {
    writeFileSync(file, text);
    await rejectsCode(
      () => locateAcraServer({ environment: {}, cacheFolder, standIn }),
      AcraError,
      'ACRA_LOCK_INVALID',
    );
  }
});
