/** Values to store that are asked about together: each has its own answer, and one that acra-server makes nothing of costs no other its own. */
import t from 'tap';
import { containerAt, searchHashAt } from '../../../acra/container.ts';
import { questionsFor } from '../../../acra/engine/made-up-insert.ts';
import type { ProtectTask } from '../../../acra/engine/task.ts';
import { EngineError } from '../../../acra/errors.ts';
import { BIND, encodeMessage, PARSE } from '../../../postgres/messages.ts';
import { columnOf } from '../support/columns.ts';
import { roundWith } from './support/engine-peer.ts';
import { PROGRAMS, startEngine } from './support/engine-rig.ts';

const of = columnOf({ table: 'v' });
const task = (value: string, column = of): ProtectTask => ({ kind: 'store', of: column, value: Buffer.from(value) });
const tasks = (count: number) => Array.from({ length: count }, (_, at) => task(`value ${at}`));

t.test('asks about values of one column in few statements, whatever their number', async (t) => {
  const sizes = (all: readonly ProtectTask[]) => questionsFor(all).map((insert) => insert.tasks.length);
  t.same(sizes(tasks(1)), [1]);
  t.same(sizes(tasks(64)), [64]);
  t.same(sizes(tasks(63)), [16, 16, 16, 4, 4, 4, 1, 1, 1]);
  t.same(sizes([...tasks(4), task('x', columnOf({ table: 'w' }))]), [4, 1]);
  t.match(questionsFor(tasks(4))[0]?.statement, /VALUES \(\$1\), \(\$2\), \(\$3\), \(\$4\)$/);
});

t.test('answers none of them where one comes back as it was, so that each is asked about alone', async (t) => {
  const four = tasks(4);
  const name = questionsFor(four)[0]?.statement ?? '';
  const answersTo = async (values: Buffer[]) => {
    const frames = [PARSE.encode('q0', name, []), BIND.encode('', 'q0', [1], values, []), encodeMessage('S')];
    const ready = encodeMessage('Z', Buffer.from('I'));
    let kinds: readonly string[] = [];
    await roundWith(
      four,
      { toDatabase: [Buffer.concat(frames)], toClient: [Buffer.alloc(0), ready] },
      async ({ answers }) => {
        kinds = (await answers).map(({ kind }) => kind);
      },
    );
    return kinds;
  };
  const sealed = four.map((_, at) => Buffer.from(`sealed ${at}`));
  t.same(await answersTo(sealed), Array(4).fill('values'));
  t.same(await answersTo(sealed.with(2, Buffer.from('value 2'))), Array(4).fill('refused'));
});

for (const [program, { command, skip }] of Object.entries(PROGRAMS)) {
  t.test(`protects many at once, those beside false containers too, with ${program}`, { skip }, async (t) => {
    const rig = await startEngine(t, { command });
    const { engine } = rig;
    for (const name of ['email', 'secret', 'blob']) {
      const column = rig.column(name);
      const container = await engine.protect(rig.column('secret'), Buffer.from('stored'));
      const broken = Buffer.from(container);
      broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1);
      const false_ = [broken, Buffer.concat([container, Buffer.from('behind')]), broken.subarray(12)];
      const values = Array.from(
        { length: 300 },
        (_, at) => (at % 60 === 7 ? false_[at % 3] : undefined) ?? Buffer.from(`${name} ${at}`),
      );
      const ends = await Promise.allSettled(values.map((value) => engine.protect(column, value)));
      const stored = ends.map((end) => (end.status === 'fulfilled' ? end.value : undefined));
      const codes = ends.flatMap((end) =>
        end.status === 'rejected' && end.reason instanceof EngineError ? [end.reason.code] : [],
      );
      t.ok(
        codes.every((code) => code === 'ENGINE_VALUE_FOREIGN' || code === 'ENGINE_REFUSED'),
        `${name}: ${codes.join()}`,
      );
      for (const [at, bytes] of stored.entries()) {
        if (false_.includes(values[at] ?? broken)) continue;
        const hash = column.searchable && bytes ? searchHashAt(bytes) : Buffer.alloc(0);
        t.ok(bytes && containerAt(bytes.subarray(hash?.length)), `${name} ${at}`);
      }
      const good = stored.flatMap((bytes, at) =>
        bytes && !false_.includes(values[at] ?? broken) ? [{ bytes, at }] : [],
      );
      t.same(
        await engine.reveal(
          column,
          good.map(({ bytes }) => bytes),
        ),
        good.map(({ at }) => values[at]),
        'each its own',
      );
    }
  });
}
