/**
 * Values of a client that look like Acra's containers and are none: each is protected or refused, and none is what acra-server breaks over
 * or takes for encrypted, so that nobody can have it ended by what he stores.
 */
import fc from 'fast-check';
import t from 'tap';
import { EngineError } from '../../../acra/errors.ts';
import { EngineRig, PROGRAMS } from './support/engine-rig.ts';

/** The stand-in answers with an error where acra-server sends on what it takes for encrypted. */
const ANSWERS = ['protected', 'ENGINE_VALUE_FOREIGN', 'ENGINE_REFUSED'];
const COLUMNS = ['secret', 'email', 'blob'];

const lengths = fc.oneof(
  fc.bigInt({ min: 0n, max: 300n }),
  fc
    .constantFrom(1n << 31n, 1n << 32n, 1n << 62n, 1n << 63n, (1n << 64n) - 1n)
    .chain((around) => fc.bigInt({ min: -20n, max: 20n }).map((by) => BigInt.asUintN(64, around + by))),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const u64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};
const rest = fc.oneof(
  fc.nat(250).map((length) => Buffer.alloc(length)),
  fc.nat(250).map((length) => Buffer.alloc(length, 0x22)),
  fc.uint8Array({ maxLength: 250 }).map((bytes) => Buffer.from(bytes)),
);
const block = fc
  .tuple(lengths, rest)
  .map(([length, tail]) => Buffer.concat([Buffer.alloc(4, 0x22), u64(length), tail]));
const struct = fc
  .tuple(lengths, rest)
  .map(([length, tail]) => Buffer.concat([Buffer.alloc(8, 0x22), Buffer.alloc(129, 1), u64(length), tail]));
const container = fc
  .tuple(fc.option(lengths), fc.constantFrom(0xf0, 0xf1, 0xf2), fc.oneof(block, struct, rest))
  .map(([length, envelope, body]) =>
    Buffer.concat([Buffer.from('%%%'), u64(length ?? BigInt(12 + body.length)), Buffer.of(envelope), body]),
  );
const hashed = container.map((bytes) => Buffer.concat([Buffer.alloc(33, 0x7f), bytes]));
const value = fc.oneof(block, struct, container, hashed).filter(({ length }) => length > 0);

for (const [name, { command, skip }] of Object.entries(PROGRAMS)) {
  t.test(`protects or refuses whatever looks like a container, with ${name}`, { skip, timeout: 120_000 }, async (t) => {
    const rig = new EngineRig(t, { command, limits: { maxLosses: 1 } });
    await rig.start();
    const { pid } = rig;
    const outcomes: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...COLUMNS, 'search'), value, async (name, bytes) => {
        const column = rig.column(name === 'search' ? 'email' : name);
        const asked = name === 'search' ? rig.engine.searchHash(column, bytes) : rig.engine.protect(column, bytes);
        const outcome = await asked.then(
          () => 'protected',
          (error: unknown) => (error instanceof EngineError ? error.code : String(error)),
        );
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        return ANSWERS.includes(outcome);
      }),
      { seed: 10, numRuns: 1_500 },
    );
    t.comment(JSON.stringify(outcomes));
    t.equal(rig.pid, pid);
    t.notMatch(rig.log, /Panic/);
  });
}
