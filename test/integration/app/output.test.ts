/** What programs print reaches the parent's log whole: lines of any length, any bytes, and bursts. */
import t from 'tap';
import { appPair, script } from './support/app-pair.ts';

t.test('brings a line of 1 MB, in parts that make it whole again', async (t) => {
  const command = script(
    'process.stdout.write("begin" + "x".repeat(1_000_000) + "ü".repeat(10_000) + "end\\nnext\\n")',
  );
  const pair = appPair(t, { enclave: { programs: { one: { kind: 'task', command } } } });
  await pair.startHostProxy();
  pair.startSupervisor();
  await pair.untilRecord(({ event, fields }) => event === 'program.output' && fields['text'] === 'next');
  const [line = '', next] = pair.printed('one');
  t.equal(line.length, 'beginend'.length + 1_010_000);
  t.ok(line.startsWith('beginxxx') && line.endsWith('üend'));
  t.equal(next, 'next');
});

t.test('brings bytes that are no text', async (t) => {
  const command = script('process.stderr.write(Buffer.from([0x61, 0xff, 0xfe, 0x00, 0x1b, 0xc3, 0xbc, 0x0a]))');
  const pair = appPair(t, { enclave: { programs: { one: { kind: 'task', command } } } });
  await pair.startHostProxy();
  pair.startSupervisor();
  await pair.untilRecord(({ event }) => event === 'program.task-done');
  t.same(pair.printed('one', 'stderr'), ['a\\xff\\xfe\\x00\\x1bü']);
});

t.test('loses none of 50,000 lines that come at once', async (t) => {
  const count = 50_000;
  const command = script(`
    let text = '';
    for (let line = 0; line < ${count}; line += 1) text += 'line ' + line + '\\n';
    require('node:fs').writeSync(1, text) === text.length || process.exit(3);
  `);
  const pair = appPair(t, { enclave: { programs: { one: { kind: 'task', command } } } });
  await pair.startHostProxy();
  await pair.startSupervisor().untilEvent('program.task-done');
  await pair.stop();
  const lines = pair.printed('one');
  t.equal(lines.length, count);
  t.same(
    lines.find((line, index) => line !== `line ${index}`),
    undefined,
  );
  t.notOk(pair.records.some(({ event }) => event === 'program.output-lost' || event === 'log.suppressed'));
});

t.test('tells how many lines are missing where the parent takes none', async (t) => {
  const command = script(`
    let line = 0;
    const more = () => {
      for (let index = 0; index < 1_000; index += 1) console.log('line ' + line++);
      if (line < 30_000) setImmediate(more); else setInterval(() => console.log('line ' + line++), 100);
    };
    more();
  `);
  const pair = appPair(t, { enclave: { programs: { one: { command } } } });
  // Nobody takes anything before host-proxy is there.
  await pair.startSupervisor().untilEvent('program.output-untaken');
  await pair.startHostProxy();
  await pair.untilRecord(({ event }) => event === 'program.output-lost');
  await pair.stop();
  const { records } = pair;
  const last = records.findLastIndex(({ event }) => event === 'program.output');
  const lost = records
    .slice(0, last)
    .filter(({ event }) => event === 'program.output-lost')
    .reduce((sum, { fields }) => sum + Number(fields['lines']), 0);
  const printed = pair.printed('one');
  t.ok(lost > 0);
  t.equal(`line ${printed.length + lost - 1}`, printed.at(-1));
});
