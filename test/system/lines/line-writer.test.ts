import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LineWriter } from '../../../system/lines/line-writer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { InterruptedFile } from './interrupted-file.ts';

t.test('appends whole lines', async (t) => {
  const file = join(temporaryFolder(t), 'log');
  writeFileSync(file, 'before\n');
  const writer = new LineWriter({ file });
  t.ok(writer.write('zwölf'));
  t.ok(writer.write('13'));
  writer.close();
  t.notOk(writer.write('after the end'));
  t.equal(readFileSync(file, 'utf8'), 'before\nzwölf\n13\n');
});

t.test('goes on without a full disk, and says so once', async (t) => {
  const complaints: string[] = [];
  const writer = new LineWriter({ file: '/dev/full', complain: (text) => complaints.push(text) });
  t.teardown(() => writer.close());
  for (let n = 1; n <= 100; n += 1) t.notOk(writer.write('line'));
  t.equal(writer.refused, 100);
  t.equal(complaints.length, 1);
  t.match(complaints[0], /cannot write to \/dev\/full.*ENOSPC/);
});

t.test('writes again as soon as it can', async (t) => {
  const file = new InterruptedFile(t);
  const complaints: string[] = [];
  const writer = new LineWriter({ file: file.path, complain: (text) => complaints.push(text) });
  t.teardown(() => writer.close());
  t.ok(writer.write('one'));
  t.equal(file.taken(), 'one\n');
  file.interrupt();
  t.notOk(writer.write('two'));
  t.notOk(writer.write('three'));
  file.resume();
  t.ok(writer.write('four'));
  t.equal(file.taken(), 'four\n');
  t.equal(complaints.length, 2);
  t.match(complaints[1], /can be written again; 2 attempts had failed/);
});

t.test('begins a new line after one that went out in part', async (t) => {
  const file = join(temporaryFolder(t), 'log');
  let room = 3;
  const write = (fd: number, bytes: Buffer, offset: number): number => {
    if (room === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const written = writeSync(fd, bytes, offset, Math.min(room, bytes.length - offset));
    room -= written;
    return written;
  };
  const writer = new LineWriter({ file, write, complain: () => undefined });
  t.teardown(() => writer.close());
  t.notOk(writer.write('first'));
  room = 1;
  t.notOk(writer.write('second'), 'no more than the line’s end fits');
  room = 100;
  t.ok(writer.write('third'));
  t.equal(readFileSync(file, 'utf8'), 'fir\nthird\n');
});

t.test('waits for a reader that is slow, but not for ever', async (t) => {
  const busy = (times: number) => {
    let left = times;
    return (_: number, bytes: Buffer): number => {
      if (left-- > 0) throw Object.assign(new Error('try again'), { code: 'EAGAIN' });
      return bytes.length;
    };
  };
  t.ok(new LineWriter({ file: undefined, write: busy(3), complain: () => undefined }).write('line'));
  const stuck = new LineWriter({ file: undefined, write: busy(1e9), complain: () => undefined });
  t.notOk(stuck.write('line'));
  const startedMs = performance.now();
  for (let n = 0; n < 100; n += 1) t.notOk(stuck.write('line'));
  t.ok(performance.now() - startedMs < 1_000, 'only the first line waited');
});

const reading = (file: string) => readFileSync(file, 'utf8');

t.test('goes on in a new file when the file was renamed, removed or replaced, and loses no line', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'log');
  const complaints: string[] = [];
  const writer = new LineWriter({ file, complain: (text) => complaints.push(text) });
  t.teardown(() => writer.close());
  t.ok(writer.write('one'));
  renameSync(file, join(folder, 'log.1'));
  t.ok(writer.write('two'));
  rmSync(file);
  t.ok(writer.write('three'));
  renameSync(file, join(folder, 'log.2'));
  writeFileSync(file, '', { mode: 0o600 });
  t.ok(writer.write('four'));
  t.same(
    [reading(join(folder, 'log.1')), reading(join(folder, 'log.2')), reading(file)],
    ['one\n', 'three\n', 'four\n'],
  );
  t.equal(statSync(join(folder, 'log.2')).mode & 0o777, 0o640);
  t.same(complaints, []);
});

t.test('begins at the start of a file that was emptied', async (t) => {
  const file = join(temporaryFolder(t), 'log');
  const writer = new LineWriter({ file });
  t.teardown(() => writer.close());
  t.ok(writer.write('one'));
  truncateSync(file);
  t.ok(writer.write('two'));
  t.equal(reading(file), 'two\n');
});

t.test('follows a link to another file', async (t) => {
  const folder = temporaryFolder(t);
  const link = join(folder, 'log');
  symlinkSync(join(folder, 'monday'), link);
  const writer = new LineWriter({ file: link });
  t.teardown(() => writer.close());
  t.ok(writer.write('one'));
  rmSync(link);
  symlinkSync(join(folder, 'tuesday'), link);
  t.ok(writer.write('two'));
  t.same([reading(join(folder, 'monday')), reading(join(folder, 'tuesday'))], ['one\n', 'two\n']);
});

for (const [what, obstruct] of [
  ['a folder', (file: string) => mkdirSync(file)],
  ['a pipe that nobody reads', (file: string) => execFileSync('mkfifo', [file])],
  ['a link that leads nowhere', (file: string) => symlinkSync('/nonexistent/log', file)],
] as const) {
  t.test(`goes on in the file that it has when the name stands for ${what}, and says so once`, async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, 'log');
    const complaints: string[] = [];
    const writer = new LineWriter({ file, complain: (text) => complaints.push(text) });
    t.teardown(() => writer.close());
    t.ok(writer.write('one'));
    renameSync(file, join(folder, 'log.1'));
    obstruct(file);
    t.ok(writer.write('two'));
    t.ok(writer.write('three'));
    t.equal(reading(join(folder, 'log.1')), 'one\ntwo\nthree\n');
    t.equal(complaints.length, 1);
    t.match(complaints[0], /cannot open .*log anew/);
    rmSync(file, { recursive: true });
    t.ok(writer.write('four'));
    t.equal(reading(file), 'four\n');
  });
}

t.test('holds no file that was renamed once it is told to open the name anew', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'log');
  const writer = new LineWriter({ file });
  t.teardown(() => writer.close());
  const held = () =>
    readdirSync('/proc/self/fd')
      .flatMap((fd) => target(fd))
      .filter((path) => path.startsWith(folder));
  const target = (fd: string) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // The descriptor that read the folder itself.
    }
  };
  renameSync(file, join(folder, 'log.1'));
  t.same(held(), [join(folder, 'log.1')]);
  writer.reopen();
  t.same(held(), [file]);
  writer.reopen();
  t.same(held(), [file]);
});
