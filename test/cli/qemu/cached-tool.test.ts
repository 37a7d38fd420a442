/** Tools are built once, kept under the hash of their inputs, and never trusted blindly. The recipe here is a small one. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findAdvice } from '../../../cli/error-advice.ts';
import { cachedTool, type ToolContext } from '../../../cli/qemu/cached-tool.ts';
import { VmToolError } from '../../../cli/qemu/errors.ts';
import type { CachedRecipe } from '../../../eif/kernel/cached-build.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { processesNaming } from '../../support/processes.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const RECIPE: CachedRecipe = {
  name: 'hammer',
  script: 'build-hammer.sh',
  args: ['1.0'],
  inputs: { compiler: 'cc 1' },
  files: ['bin/hammer', 'share/handle'],
};
const SCRIPT = `set -eu
echo forging >&2
echo x >>"$CACHE/runs"
mkdir -p "$2/bin" "$2/share"; echo "hammer $1" >"$2/bin/hammer"; echo wood >"$2/share/handle"
`;

function context(t: Test, script = SCRIPT, changes: Partial<ToolContext> = {}): ToolContext {
  const projectFolder = temporaryFolder(t);
  mkdirSync(join(projectFolder, 'scripts'));
  writeFileSync(join(projectFolder, 'scripts', RECIPE.script), script);
  return {
    projectFolder,
    cacheFolder: join(temporaryFolder(t), 'vm'),
    environment: { PATH: process.env['PATH'] },
    onProgress: () => undefined,
    signal: AbortSignal.timeout(60_000),
    ...changes,
  };
}

function runs({ cacheFolder }: ToolContext): number {
  const file = join(cacheFolder, 'runs');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

const setScript = ({ projectFolder }: ToolContext, text: string) =>
  writeFileSync(join(projectFolder, 'scripts', RECIPE.script), text);

t.test('builds once and again only when an input changed', async (t) => {
  const lines: string[] = [];
  const wanted = context(t, SCRIPT, { onProgress: (line) => lines.push(line) });
  const folder = await cachedTool(RECIPE, wanted);
  t.equal(readFileSync(join(folder, 'bin/hammer'), 'utf8'), 'hammer 1.0\n');
  t.equal(await cachedTool(RECIPE, wanted), folder);
  t.same(lines, ['hammer: forging'], 'progress of one build');
  const others = [
    await cachedTool({ ...RECIPE, args: ['1.1'] }, wanted),
    await cachedTool({ ...RECIPE, inputs: { compiler: 'cc 2' } }, wanted),
  ];
  setScript(wanted, `${SCRIPT}# another\n`);
  others.push(await cachedTool(RECIPE, wanted));
  t.equal(new Set([folder, ...others]).size, 4);
  t.equal(runs(wanted), 4);
});

t.test('builds once when several ask at the same time', async (t) => {
  const wanted = context(t);
  const folders = await Promise.all([1, 2, 3].map(() => cachedTool(RECIPE, wanted)));
  t.equal(new Set(folders).size, 1);
  t.equal(runs(wanted), 1);
});

t.test('rejects a cached tool that was changed (VM_TOOL_CHANGED)', async (t) => {
  const wanted = context(t);
  const changes: ((folder: string) => void)[] = [
    (folder) => appendFileSync(join(folder, 'bin/hammer'), 'x'),
    (folder) => rmSync(join(folder, 'share/handle')),
    (folder) => writeFileSync(join(folder, 'tool.json'), '{'),
    (folder) => writeFileSync(join(folder, 'tool.json'), '{"inputs":{},"files":{}}'),
  ];
  for (const change of changes) {
    const folder = await cachedTool(RECIPE, wanted);
    change(folder);
    const { code } = await rejectsCode(() => cachedTool(RECIPE, wanted), VmToolError, 'VM_TOOL_CHANGED');
    t.match(findAdvice(code), /Remove the folder/);
    rmSync(folder, { recursive: true });
  }
  t.equal(runs(wanted), changes.length, 'removing the folder builds again');
});

t.test('tells a version that is gone from a build that failed (VM_TOOL_SOURCE, VM_TOOL_BUILD)', async (t) => {
  const gone = context(t, 'echo "hammer 1.0 is not on the mirror; there is: 1.2" >&2; exit 3\n');
  const { found } = await rejectsCode(() => cachedTool(RECIPE, gone), VmToolError, 'VM_TOOL_SOURCE');
  t.match(found, /there is: 1\.2/);
  const broken = context(t, 'mkdir "$2"; echo "cc1: out of memory" >&2; exit 1\n');
  const { message } = await rejectsCode(() => cachedTool(RECIPE, broken), VmToolError, 'VM_TOOL_BUILD');
  t.match(message, /out of memory/);
  t.same(readdirSync(broken.cacheFolder), ['hammer.lock'], 'nothing half-built is left');
});

t.test('rejects a build that left a file out (VM_TOOL_BUILD)', async (t) => {
  const wanted = context(t, `${SCRIPT}rm "$2/share/handle"\n`);
  const { message } = await rejectsCode(() => cachedTool(RECIPE, wanted), VmToolError, 'VM_TOOL_BUILD');
  t.match(message, /share\/handle/);
  t.same(readdirSync(wanted.cacheFolder).sort(), ['hammer.lock', 'runs']);
});

t.test('ends the whole build when it is told to stop, and frees the lock', async (t) => {
  const controller = new AbortController();
  const mark = temporaryFolder(t);
  const wanted = context(t, `: >${mark}/x; tail -f ${mark}/x & echo started >&2; wait\n`, {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('stopped by the test')),
  });
  await t.rejects(cachedTool(RECIPE, wanted), { message: 'stopped by the test' });
  for (const folder of [mark, wanted.projectFolder, wanted.cacheFolder]) t.same(processesNaming(folder), []);
  setScript(wanted, SCRIPT);
  await cachedTool(RECIPE, { ...wanted, signal: AbortSignal.timeout(60_000) });
  t.equal(runs(wanted), 1);
});

t.test('stops waiting for another build when it is told to', async (t) => {
  const go = join(temporaryFolder(t), 'go');
  const slow = context(t, `echo started >&2\nmkfifo ${go}; read -r x <${go}\n${SCRIPT}`);
  const started = Promise.withResolvers<void>();
  const building = cachedTool(RECIPE, { ...slow, onProgress: () => started.resolve() });
  await started.promise;
  const controller = new AbortController();
  const waiting = cachedTool(RECIPE, {
    ...slow,
    signal: controller.signal,
    onProgress: (line) => controller.abort(new Error(line)),
  });
  await t.rejects(waiting, { message: 'hammer: waiting for another process that builds it' });
  t.equal(processesNaming(join(slow.cacheFolder, 'hammer.lock')).length, 1, 'only the builder is left');
  writeFileSync(go, 'on\n');
  await building;
  t.equal(runs(slow), 1);
});

t.test('removes what a killed build left, and nothing else', async (t) => {
  const wanted = context(t);
  for (const name of ['hammer-abc.123.partial.new', 'hammer-build.Xy12', 'hammer-old', 'nail-build.Xy12'])
    mkdirSync(join(wanted.cacheFolder, name), { recursive: true });
  const folder = await cachedTool(RECIPE, wanted);
  const left = readdirSync(wanted.cacheFolder).filter((name) => !folder.endsWith(name));
  t.same(left.sort(), ['hammer-old', 'hammer.lock', 'nail-build.Xy12', 'runs']);
});
