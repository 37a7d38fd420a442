import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AcraError } from '../../../acra/errors.ts';
import type { ImageTool } from '../../../acra/obtain/fetch-image.ts';
import { findImageTools } from '../../../acra/obtain/fetch-image.ts';
import { locateAcraServer } from '../../../acra/obtain/locate.ts';
import type { PullOptions } from '../../../acra/obtain/pull.ts';
import { pullAcraServer } from '../../../acra/obtain/pull.ts';
import { STAND_IN_COMMAND } from '../../../emulator/acra-server/command.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import {
  archiveImage,
  directoryImage,
  failingTool,
  fakeDocker,
  fakeSkopeo,
  hangingTool,
  tinyElf,
} from '../support/fake-image.ts';
import type { TarMember } from '../support/tar-writer.ts';

const PROGRAM: TarMember = { path: 'acra-server', content: tinyElf(), mode: 0o755 };
const DYNAMIC: readonly TarMember[] = [
  { path: 'acra-server', content: tinyElf({ interpreter: '/lib64/ld-linux.so.2' }), mode: 0o755 },
  { path: 'lib64/ld-linux.so.2', content: 'loader', mode: 0o755 },
  { path: 'usr/lib/libthemis.so.0', content: 'themis' },
  { path: 'usr/lib/libthemis.so', type: '2', target: 'libthemis.so.0' },
];

function pull(cacheFolder: string, tools: readonly ImageTool[], changed: Partial<PullOptions> = {}) {
  const environment = { PATH: process.env['PATH'] };
  return pullAcraServer({ cacheFolder, environment, signal: new AbortController().signal, tools, ...changed });
}

async function pullProgram(...words: Parameters<typeof pull>) {
  return (await pull(...words)).program;
}

function folders(t: Parameters<typeof temporaryFolder>[0]) {
  const folder = temporaryFolder(t);
  return { cacheFolder: join(folder, 'cache'), toolFolder: join(folder, 'tool') };
}

t.test('pulls with skopeo, unpacks, locks, and the program runs', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const steps: string[] = [];
  const onProgress = (step: string) => steps.push(step);
  const program = await pullProgram(cacheFolder, [fakeSkopeo(toolFolder, directoryImage([[PROGRAM]]))], { onProgress });
  t.match(readFileSync(join(toolFolder, 'args'), 'utf8'), 'copy --quiet docker://cossacklabs/acra-server:0.96.0 dir:');
  t.match(program, { kind: 'image', leadingArguments: [] });
  t.equal(spawnSync(program.program, [...program.leadingArguments]).status, 7);
  t.same(readdirSync(cacheFolder).sort(), ['acra-server-0.96.0', 'acra-server-0.96.0.lock.json']);
  t.equal(steps.length, 3);
  t.same(
    await locateAcraServer({ environment: {}, cacheFolder, standIn: STAND_IN_COMMAND }),
    program,
    'it is found again',
  );
});

t.test('runs a dynamic program under the interpreter and libraries of its image', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const program = await pullProgram(cacheFolder, [fakeSkopeo(toolFolder, directoryImage([DYNAMIC.slice(1), DYNAMIC]))]);
  const root = join(cacheFolder, 'acra-server-0.96.0');
  t.equal(program.program, join(root, 'lib64/ld-linux.so.2'));
  t.equal(program.libraryPath, `${root}/lib64:${root}/usr/lib`);
  t.same(program.leadingArguments, [
    '--inhibit-cache',
    '--library-path',
    program.libraryPath,
    join(root, 'acra-server'),
  ]);
  t.equal(readFileSync(join(root, 'usr/lib/libthemis.so'), 'utf8'), 'themis');
});

t.test('reads what docker saves, and finds it to be the same image', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const first = await pullProgram(cacheFolder, [fakeDocker(join(toolFolder, 'docker'), archiveImage([DYNAMIC]))]);
  const second = await pullProgram(cacheFolder, [fakeSkopeo(join(toolFolder, 'skopeo'), directoryImage([DYNAMIC]))]);
  t.same(second, first);
});

t.test('takes the next tool when one fails', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const tools = [
    failingTool(join(toolFolder, 'a'), 'podman'),
    fakeSkopeo(join(toolFolder, 'b'), directoryImage([[PROGRAM]])),
  ];
  t.equal((await pullProgram(cacheFolder, tools)).kind, 'image');
});

t.test('rejects a pull when no tool is there (ACRA_PULL_TOOL_MISSING)', async (t) => {
  const { cacheFolder } = folders(t);
  await rejectsCode(() => pull(cacheFolder, []), AcraError, 'ACRA_PULL_TOOL_MISSING');
  t.same(readdirSync(cacheFolder), []);
});

t.test('rejects a pull when the tool fails, in its own words (ACRA_PULL_FAILED)', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const error = await rejectsCode(
    () => pull(cacheFolder, [failingTool(toolFolder, 'docker')]),
    AcraError,
    'ACRA_PULL_FAILED',
  );
  t.match(error.message, 'cannot reach the registry');
  t.same(readdirSync(cacheFolder), []);
});

t.test('stops the tool and leaves nothing when the signal aborts', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const controller = new AbortController();
  const reason = new Error('enough');
  const onProgress = () => setImmediate(() => controller.abort(reason));
  await t.rejects(
    pull(cacheFolder, [hangingTool(toolFolder, 'skopeo')], { signal: controller.signal, onProgress }),
    reason,
  );
  t.same(readdirSync(cacheFolder), []);
});

t.test('rejects another image under the same name, and keeps the first (ACRA_IMAGE_CHANGED)', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const first = await pullProgram(cacheFolder, [fakeSkopeo(join(toolFolder, 'a'), directoryImage([[PROGRAM]]))]);
  const other = directoryImage([[PROGRAM, { path: 'extra', content: 'x' }]]);
  const again = () => pull(cacheFolder, [fakeSkopeo(join(toolFolder, 'b'), other)]);
  await rejectsCode(again, AcraError, 'ACRA_IMAGE_CHANGED');
  t.same(await locateAcraServer({ environment: {}, cacheFolder, standIn: STAND_IN_COMMAND }), first);
});

function corrupted(change: (name: string, content: Buffer) => Buffer): Map<string, Buffer> {
  return new Map([...directoryImage([[PROGRAM]])].map(([name, content]) => [name, change(name, content)]));
}
const flip = (content: Buffer) =>
  Buffer.from(content.map((byte, index) => (index === content.length - 1 ? byte ^ 1 : byte)));
const isLayer = (content: Buffer) => content[0] === 0x1f;

const images: [string, Map<string, Buffer>][] = [
  ['a damaged layer', corrupted((_, content) => (isLayer(content) ? flip(content) : content))],
  [
    'a damaged configuration',
    corrupted((name, content) => (name === 'manifest.json' || isLayer(content) ? content : flip(content))),
  ],
  ['a manifest that is no JSON', corrupted((name, content) => (name === 'manifest.json' ? flip(content) : content))],
  ['an image without acra-server', directoryImage([[{ path: 'other', content: 'x' }]])],
  ['an acra-server that is no program', directoryImage([[{ path: 'acra-server', content: '#!/bin/sh' }]])],
  ['a program without its interpreter', directoryImage([DYNAMIC.slice(0, 1)])],
  ['a layer that climbs out', directoryImage([[PROGRAM, { path: '../../evil', content: 'x' }]])],
];
for (const [what, image] of images) {
  t.test(`rejects ${what}, and leaves nothing (ACRA_IMAGE_INVALID)`, async (t) => {
    const { cacheFolder, toolFolder } = folders(t);
    await rejectsCode(() => pull(cacheFolder, [fakeSkopeo(toolFolder, image)]), AcraError, 'ACRA_IMAGE_INVALID');
    t.same(readdirSync(cacheFolder), []);
  });
}

t.test('rejects a layer whose digest fits the manifest but not the configuration (ACRA_IMAGE_INVALID)', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const [good, other] = [directoryImage([[PROGRAM]]), directoryImage([[{ ...PROGRAM, path: './acra-server' }]])];
  const manifest = JSON.parse(String(good.get('manifest.json')));
  manifest.layers = JSON.parse(String(other.get('manifest.json'))).layers;
  const mixed = new Map([...other, ...good, ['manifest.json', Buffer.from(JSON.stringify(manifest))] as const]);
  await rejectsCode(() => pull(cacheFolder, [fakeSkopeo(toolFolder, mixed)]), AcraError, 'ACRA_IMAGE_INVALID');
});

t.test('rejects an acra-server for another processor (ACRA_IMAGE_ARCHITECTURE)', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const image = directoryImage([[{ ...PROGRAM, content: tinyElf({ machine: 243 }) }]]);
  await rejectsCode(() => pull(cacheFolder, [fakeSkopeo(toolFolder, image)]), AcraError, 'ACRA_IMAGE_ARCHITECTURE');
  t.notOk(existsSync(join(cacheFolder, 'acra-server-0.96.0')));
});

t.test('finds tools on the PATH, best first, and takes only what can be executed', async (t) => {
  const folder = temporaryFolder(t);
  const docker = failingTool(join(folder, 'one'), 'docker');
  const skopeo = failingTool(join(folder, 'two'), 'skopeo');
  writeFileSync(join(folder, 'two', 'podman'), 'not executable', { mode: 0o644 });
  t.same(await findImageTools({ PATH: `relative:${folder}/one:${folder}/two` }), [skopeo, docker]);
  t.same(await findImageTools({}), []);
});

t.test('tells on what an image is trusted: a digest, the lock file, or that it came first', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const tools = [fakeSkopeo(toolFolder, directoryImage([[PROGRAM]]))];
  const first = await pull(cacheFolder, tools);
  t.equal(first.trust, 'first-use');
  t.equal((await pull(cacheFolder, tools)).trust, 'lock');
  for (const digest of [first.configDigest, first.manifestDigest ?? 'none']) {
    t.equal((await pull(cacheFolder, tools, { digest })).trust, 'digest');
  }
});

t.test('rejects another image than the digest names, and keeps nothing of it (ACRA_IMAGE_DIGEST)', async (t) => {
  const { cacheFolder, toolFolder } = folders(t);
  const tools = [fakeSkopeo(toolFolder, directoryImage([[PROGRAM]]))];
  const wrong = { digest: `sha256:${'0'.repeat(64)}` };
  const error = await rejectsCode(() => pull(cacheFolder, tools, wrong), AcraError, 'ACRA_IMAGE_DIGEST');
  t.match(error.found, /^sha256:[0-9a-f]{64} \(manifest\), sha256:[0-9a-f]{64}$/);
  t.same(readdirSync(cacheFolder), []);
});

t.test(
  'rejects a digest of the lock file that another image follows, even when it is asked for (ACRA_IMAGE_CHANGED)',
  async (t) => {
    const { cacheFolder, toolFolder } = folders(t);
    await pull(cacheFolder, [fakeSkopeo(join(toolFolder, 'a'), directoryImage([[PROGRAM]]))]);
    const tools = [fakeSkopeo(join(toolFolder, 'b'), directoryImage([DYNAMIC]))];
    const elsewhere = await pull(join(toolFolder, 'elsewhere'), tools);
    const digest = elsewhere.configDigest;
    await rejectsCode(() => pull(cacheFolder, tools, { digest }), AcraError, 'ACRA_IMAGE_CHANGED');
  },
);
