/** Programs in the place of acra-server that forward, change, leave out or make up: nothing of theirs is taken for a protected value. */
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { AcraEngine } from '../../../acra/engine/engine.ts';
import { revealStatement, storeStatement } from '../../../acra/engine/statements.ts';
import type { Task } from '../../../acra/engine/task.ts';
import { BIND, encodeMessage, PARSE } from '../../../postgres/messages.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { columnOf } from '../support/columns.ts';
import { roundWith } from './support/engine-peer.ts';

const of = columnOf({ table: 'v' });
const searchable = { ...of, searchable: true };
const value = Buffer.from('a value that must not show');

/** What the program does with bytes on their way to the database's end, and back. */
interface Lie {
  readonly out?: (chunk: Buffer, count: number) => Buffer | undefined;
  readonly back?: (chunk: Buffer, count: number) => Buffer | undefined;
}

const flipped = (chunk: Buffer) =>
  Buffer.from(chunk.map((byte, index) => (index === chunk.length - 1 ? byte ^ 1 : byte)));
const afterStart = (change: (chunk: Buffer) => Buffer | undefined) => (chunk: Buffer, count: number) =>
  count === 0 ? chunk : change(chunk);
const asItCame = (chunk: Buffer) => chunk;
const LIES: Readonly<Record<string, Lie>> = {
  'forwards all as it comes': {},
  'changes a byte to the database': { out: afterStart(flipped) },
  'says everything twice to the database': { out: afterStart((chunk) => Buffer.concat([chunk, chunk])) },
  'says everything twice to us': { back: afterStart((chunk) => Buffer.concat([chunk, chunk])) },
  'sends junk to the database': { out: afterStart(() => Buffer.alloc(64, 0xff)) },
  'sends junk to us': { back: afterStart(() => Buffer.from('D\x7f\xff\xff\xff\0\0', 'latin1')) },
  'says ready before anything': { back: afterStart(() => Buffer.from('Z\0\0\0\x05I', 'latin1')) },
  'ends when it is asked': { out: (chunk, count) => (count === 0 ? chunk : undefined) },
  'ends before it answers': { back: (chunk, count) => (count === 0 ? chunk : undefined) },
};

t.setTimeout(60_000);

for (const [name, { out = asItCame, back = asItCame }] of Object.entries(LIES)) {
  t.test(`takes nothing of a program that ${name}`, async (t) => {
    const path = join(temporaryFolder(t), 'acra.sock');
    const limits = { timeoutMs: 300, maxWaitMs: 300, retry: { minMs: 1, maxMs: 5 } };
    const engine = new AcraEngine({ acra: { kind: 'unix', path }, clock: systemClock, random: systemRandom, limits });
    const database = await engine.start();
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect(database);
      for (const [from, to, change] of [
        [near, far, out],
        [far, near, back],
      ] as const) {
        let count = 0;
        from.on('error', () => to.destroy()).once('close', () => to.destroy());
        from.on('data', (chunk: Buffer) => {
          const changed = change(chunk, count++);
          if (changed) to.write(changed);
          else from.destroy();
        });
        sockets.add(from);
      }
    }).listen(path);
    t.teardown(async () => {
      await engine.stop();
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    for (const each of [of, searchable]) {
      await t.rejects(engine.protect(each, value), { code: /^ENGINE_(UNPROTECTED|REFUSED|LOST)$/ });
    }
    await t.rejects(engine.searchHash(searchable, value), { code: /^ENGINE_/ });
  });
}

const STORE: readonly Task[] = [{ kind: 'store', of, value }];
const REVEAL: readonly Task[] = [{ kind: 'reveal', of, cells: [value] }];
const SYNC = encodeMessage('S');
const EXECUTE = encodeMessage('E', Buffer.alloc(5));
const parse = PARSE.encode('q0', storeStatement(of), []);
const bind = BIND.encode('', 'q0', [1], [value], []);
const DEMANDS: readonly (readonly [what: string, tasks: readonly Task[], frames: readonly Buffer[]])[] = [
  ['a row twice', REVEAL, [PARSE.encode('q0', revealStatement([{ column: of, size: 1 }]), []), EXECUTE, EXECUTE]],
  ['more values to be taken than it was given', STORE, [parse, bind, bind]],
  ['an answer to statements without end', STORE, Array<Buffer>(1_025).fill(parse)],
];
for (const [what, tasks, frames] of DEMANDS) {
  t.test(`ends the session of a program that asks our end for ${what}, and holds nothing for it`, async (t) => {
    const said = { toDatabase: [Buffer.concat([...frames, SYNC])], toClient: Array<Buffer>(20).fill(Buffer.alloc(0)) };
    await roundWith(tasks, said, async ({ answers, repliedBytes }) => {
      await t.rejects(answers, { code: 'ENGINE_LOST' });
      t.equal(repliedBytes(), 0);
    });
  });
}
