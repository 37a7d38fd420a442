/** A ceremony leaves all of its results, or nothing, whatever fails and whenever it ends. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KeyError } from '../../keys/errors.ts';
import { StagedOutputs } from '../../keys/staged-outputs.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

t.test('puts all in their places: new files, replaced ones, folders, and files into a folder', async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  writeFileSync(at('replaced'), 'old');
  mkdirSync(at('grown'));
  writeFileSync(at('grown/a'), 'a');
  using outputs = new StagedOutputs();
  outputs.write(at('new'), 'new');
  outputs.write(at('replaced'), 'fresh', 'replacing');
  mkdirSync(outputs.stage(at('folder')));
  const content = outputs.stage(at('grown'), 'folder-content');
  mkdirSync(content);
  writeFileSync(join(content, 'b'), 'b');
  t.same(readFileSync(at('replaced'), 'utf8'), 'old', 'nothing happens before');
  outputs.commit();
  t.same(readdirSync(folder).toSorted(), ['folder', 'grown', 'new', 'replaced']);
  t.same(readdirSync(at('grown')).toSorted(), ['a', 'b']);
  t.same(readFileSync(at('replaced'), 'utf8'), 'fresh');
});

t.test('makes the folders of a place, and takes back those that stay empty', async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  mkdirSync(at('there'));
  for (const place of ['a/b/file', 'there/c/file', 'file']) {
    using outputs = new StagedOutputs();
    outputs.makeFolderOf(at(place));
    outputs.write(at(place), 'x');
  }
  t.same(readdirSync(folder, { recursive: true }), ['there']);
  {
    using outputs = new StagedOutputs();
    outputs.makeFolderOf(at('a/b/file'));
    outputs.write(at('a/b/file'), 'x');
    writeFileSync(at('a/other'), 'of somebody else');
  }
  t.same(readdirSync(folder, { recursive: true }).toSorted(), ['a', 'a/other', 'there']);
  using outputs = new StagedOutputs();
  outputs.makeFolderOf(at('a/b/file'));
  outputs.write(at('a/b/file'), 'x');
  outputs.commit();
  t.equal(readFileSync(at('a/b/file'), 'utf8'), 'x');
  throwsCode(() => outputs.makeFolderOf(at('a/other/file')), KeyError, 'KEY_OUTPUT_WRITE');
});

t.test('leaves everything as it was when it is not committed', async (t) => {
  const folder = temporaryFolder(t);
  {
    using outputs = new StagedOutputs();
    outputs.write(join(folder, 'new'), 'new');
    mkdirSync(outputs.stage(join(folder, 'folder')));
  }
  t.same(readdirSync(folder), []);
});

t.test('takes back what it has moved when a later move fails (KEY_OUTPUT_WRITE)', async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  writeFileSync(at('replaced'), 'old');
  using outputs = new StagedOutputs();
  outputs.write(at('new'), 'new');
  outputs.write(at('replaced'), 'fresh', 'replacing');
  const vanished = outputs.stage(at('folder'));
  mkdirSync(vanished);
  rmSync(vanished, { recursive: true });
  throwsCode(() => outputs.commit(), KeyError, 'KEY_OUTPUT_WRITE');
  outputs.discard();
  t.same(readdirSync(folder), ['replaced']);
  t.same(readFileSync(at('replaced'), 'utf8'), 'old');
});

t.test('rejects what has come into a place meanwhile (KEY_OUTPUT_EXISTS)', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'new');
  using outputs = new StagedOutputs();
  outputs.write(file, 'new');
  writeFileSync(file, 'precious');
  throwsCode(() => outputs.commit(), KeyError, 'KEY_OUTPUT_EXISTS');
  outputs.discard();
  t.same(readdirSync(folder), ['new']);
  t.same(readFileSync(file, 'utf8'), 'precious');
});

t.test('rejects a disk that takes no more, and leaves nothing half-written (KEY_OUTPUT_WRITE)', async (t) => {
  const folder = temporaryFolder(t);
  const script = `
    const { StagedOutputs } = await import(process.argv[1]);
    try {
      using outputs = new StagedOutputs();
      outputs.write(process.argv[2] + '/small', 'small');
      outputs.write(process.argv[2] + '/large', Buffer.alloc(1_000_000));
      outputs.commit();
    } catch (error) {
      process.stdout.write(error.code);
    }`;
  const module = new URL('../../keys/staged-outputs.ts', import.meta.url).href;
  const limited = ['-c', 'trap "" XFSZ; ulimit -f 100; exec "$@"', 'sh'];
  const node = [process.execPath, '--input-type=module', '-e', script, module, folder];
  const env = { ...process.env, NODE_OPTIONS: '' };
  t.equal(execFileSync('sh', [...limited, ...node], { encoding: 'utf8', env }), 'KEY_OUTPUT_WRITE');
  t.same(readdirSync(folder), []);
});

t.test('leaves nothing when the process is ended at once', async (t) => {
  const folder = temporaryFolder(t);
  const script = `
    const { StagedOutputs } = await import(process.argv[1]);
    const outputs = new StagedOutputs();
    outputs.write(process.argv[2] + '/new', 'new');
    process.exit(0);`;
  const module = new URL('../../keys/staged-outputs.ts', import.meta.url).href;
  const env = { ...process.env, NODE_OPTIONS: '' };
  execFileSync(process.execPath, ['--input-type=module', '-e', script, module, folder], { env });
  t.same(readdirSync(folder), []);
});
