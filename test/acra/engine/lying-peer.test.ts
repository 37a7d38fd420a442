/** Programs in the place of acra-server that forward, change, leave out or make up: nothing of theirs is taken for a protected value. */
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { checkStored } from '../../../acra/engine/check.ts';
import { AcraEngine } from '../../../acra/engine/engine.ts';
import { EngineError } from '../../../acra/errors.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { columnOf } from '../support/columns.ts';

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

t.test('no bytes but a whole container pass for a stored value, and no error is foreign', (t) => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((each) => Buffer.from(each));
  const header = bytes.map((body) => {
    const container = Buffer.concat([Buffer.from('%%%'), Buffer.alloc(8), Buffer.of(0xf0), body]);
    container.writeBigUInt64LE(BigInt(container.length), 3);
    return container;
  });
  const any = fc.oneof(
    bytes,
    header,
    fc.tuple(bytes, header).map((parts) => Buffer.concat(parts)),
  );
  fc.assert(
    fc.property(any, any, fc.boolean(), (plain, stored, isSearchable) => {
      try {
        const outcome = checkStored({ ...of, searchable: isSearchable }, plain, stored);
        return outcome === 'kept' && stored.subarray(-plain.length).equals(plain);
      } catch (error) {
        return error instanceof EngineError;
      }
    }),
    { seed: 16, numRuns: 20_000 },
  );
  t.end();
});
