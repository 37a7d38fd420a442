/** A session through what plays acra-server, which says anything to both of our ends: real sockets, one session a case. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { revealStatement, storeStatement } from '../../acra/engine/statements.ts';
import type { Answer, Task } from '../../acra/engine/task.ts';
import { EngineError } from '../../acra/errors.ts';
import { encodeError } from '../../postgres/error-response.ts';
import { BIND, DATA_ROW, encodeMessage, PARSE } from '../../postgres/messages.ts';
import { roundWith } from '../acra/engine/support/engine-peer.ts';
import { columnOf } from '../acra/support/columns.ts';
import { fuzzer } from '../support/fuzz.ts';
import { cuts, mutated, piecesOf } from '../support/hostile-bytes.ts';

const of = columnOf();
const CELLS = [Buffer.alloc(300, 'a'), Buffer.alloc(300, 'b')];
const STORES: readonly Task[] = CELLS.map((value) => ({ kind: 'store', of, value }));
const REVEALS: readonly Task[] = [{ kind: 'reveal', of, cells: CELLS }];
const SYNC = encodeMessage('S');
const EXECUTE = encodeMessage('E', Buffer.alloc(5));
const [PARSED, BOUND, READY] = [encodeMessage('1'), encodeMessage('2'), encodeMessage('Z', Buffer.from('I'))];

/** What acra-server would say, to the database's end and to the client's. */
const HONEST = [
  {
    tasks: STORES,
    toDatabase: [
      PARSE.encode('q0', storeStatement(of), [17]),
      ...CELLS.map((cell) => BIND.encode('', 'q0', [1], [cell], [])),
      SYNC,
    ],
    toClient: [PARSED, BOUND, BOUND, READY],
  },
  {
    tasks: REVEALS,
    toDatabase: [
      PARSE.encode('q0', revealStatement([{ column: of, size: 2 }]), []),
      BIND.encode('', 'q0', [], [], [1]),
      EXECUTE,
      SYNC,
    ],
    toClient: [PARSED, BOUND, DATA_ROW.encode(CELLS), encodeMessage('C', Buffer.from('SELECT 1\0')), READY],
  },
  { tasks: STORES, toDatabase: [SYNC], toClient: [encodeError('ERROR', '42601', 'no'), READY] },
];
/** Beside one row: what our database's end says to a message is short, but some have no more than their header. */
const ROW_BYTES = DATA_ROW.encode(CELLS).length;
const REPLY_FACTOR = 10;

/** In its order, or in any and as often. */
function saying(frames: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const parts = fc.oneof(fc.constant(frames), fc.array(fc.constantFrom(...frames), { maxLength: 16 }));
  return mutated(parts.map((all) => Buffer.concat(all)));
}

export const ENGINE_SESSION = [
  fuzzer({
    parser: 'engine answers',
    name: 'answers what was asked or loses the session, whatever both ends are told, and replies with no more than is asked for',
    // Some milliseconds each.
    share: 0.05,
    findings: [{ which: 1, toDatabase: Buffer.concat([EXECUTE, EXECUTE, EXECUTE, SYNC]), toClient: READY, cuts: [] }],
    inputs: fc.oneof(
      ...HONEST.map(({ toDatabase, toClient }, which) =>
        fc.record({
          which: fc.constant(which),
          toDatabase: saying(toDatabase),
          toClient: saying(toClient),
          cuts,
        }),
      ),
    ),
    holds: async ({ which, toDatabase, toClient, cuts: cutsAt }) => {
      const tasks = HONEST[which]?.tasks ?? [];
      const said = { toDatabase: piecesOf(toDatabase, cutsAt), toClient: piecesOf(toClient, cutsAt) };
      await roundWith(tasks, said, async ({ answers, repliedBytes }) => {
        const settled = await answers.catch((error: unknown) => error);
        assert.ok(repliedBytes() <= ROW_BYTES + REPLY_FACTOR * toDatabase.length);
        if (settled instanceof EngineError) {
          assert.equal(settled.code, 'ENGINE_LOST');
          return;
        }
        assert.ok(Array.isArray(settled), String(settled));
        const found: readonly Answer[] = settled;
        const counts = found.map((answer) => (answer.kind === 'values' ? answer.values.length : 'refused'));
        const wanted = tasks.map((task) => (task.kind === 'reveal' ? task.cells.length : 1));
        assert.deepEqual(counts, counts.includes('refused') ? wanted.map(() => 'refused') : wanted);
      });
    },
  }),
];
