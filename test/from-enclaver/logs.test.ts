/** What programs print reaches the parent's log, whatever it is: where Enclaver's stream ends at a long or binary line, and loses bursts. */
import t from 'tap';
import { AppPair, textOf } from './support/serving-app.ts';

const LONG = 1_000_000;
const BURST_LINES = 10_000;

/** A task that prints, then a service that waits: when the enclave serves, all of it has been printed. */
const printing = (script: string) => ({
  programs: {
    printer: { command: [process.execPath, '-e', script], kind: 'task' },
    waiter: { command: ['/bin/sh', '-c', 'exec sleep 3600'], after: ['printer'] },
  },
});

t.test('goes on after a log line of 1 MB, which comes whole in pieces', async (t) => {
  const script = `process.stdout.write('x'.repeat(${LONG}) + '\\nafter it\\n')`;
  const app = await AppPair.start(t, { enclave: printing(script) });
  await app.untilRecord('program.output', (line) => textOf(line) === 'after it');
  const pieces = app.records('program.output').filter((line) => textOf(line).startsWith('x'));
  t.equal(pieces.map(textOf).join(''), 'x'.repeat(LONG));
});

t.test('goes on after a line that is no text, and shows its bytes', async (t) => {
  const script =
    "process.stdout.write(Buffer.from([0xff, 0xfe, 0x00, 0x1b, 0x0a])); process.stdout.write('after it\\n')";
  const app = await AppPair.start(t, { enclave: printing(script) });
  await app.untilRecord('program.output', (line) => textOf(line) === 'after it');
  t.same(app.records('program.output').map(textOf).slice(0, 2), ['\\xff\\xfe\\x00\\x1b', 'after it']);
});

t.test('loses no line of a burst that no program of its own keeps back', async (t) => {
  const line = "'line ' + String(n).padStart(8, '0') + ' ' + 'y'.repeat(80)";
  const script = `for (let n = 0; n < ${BURST_LINES}; n += 1) console.log(${line}); console.log('the end')`;
  const app = await AppPair.start(t, { enclave: printing(script) });
  await app.untilRecord('program.output', (record) => textOf(record) === 'the end');
  const told = app
    .records('program.output')
    .map(textOf)
    .filter((text) => text.startsWith('line '));
  t.equal(told.length, BURST_LINES);
  t.same(told.at(-1)?.slice(0, 13), `line ${String(BURST_LINES - 1).padStart(8, '0')}`);
  t.same(app.records('program.output-lost'), []);
});

t.test('tells the last lines of a program that ends the enclave', async (t) => {
  const script =
    "for (let n = 0; n < 500; n += 1) console.log('n' + n); console.error('the last word'); process.exitCode = 3";
  const programs = { one: { command: [process.execPath, '-e', script], restart: 'never' } };
  const app = await AppPair.start(t, { enclave: { programs } });
  await app.pair.supervisor?.exited;
  await app.untilRecord('program.output', (line) => textOf(line) === 'the last word');
  t.equal(app.records('program.output').filter((line) => /^n\d+$/.test(textOf(line))).length, 500);
});
