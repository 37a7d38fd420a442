/** What acra-server as an engine answers about values: nothing of it is used that was not asked for, or is not protected. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  acraBlockLength,
  containerAt,
  isAcraStruct,
  isContainerHeader,
  isImpossibleBlock,
  searchHashAt,
} from '../../acra/container.ts';
import { checkSearched, checkStored, isOwnContainer } from '../../acra/engine/check.ts';
import { MadeUpRow } from '../../acra/engine/made-up-row.ts';
import { EngineError } from '../../acra/errors.ts';
import { DATA_ROW, HEADER_BYTES } from '../../postgres/messages.ts';
import { columnOf } from '../acra/support/columns.ts';
import { fuzzer } from '../support/fuzz.ts';
import { anyBytes, hostile } from '../support/hostile-bytes.ts';
import { storedValues, values } from './support/containers.ts';
import { valueOrState } from './support/value-or-state.ts';

const parser = 'engine answers';
const columns = fc
  .record({
    searchable: fc.boolean(),
    envelope: fc.constantFrom('acrablock' as const, 'acrastruct' as const),
    masking: fc.constantFrom(undefined, { pattern: 'xx', plaintextBytes: 3, side: 'left' as const }),
  })
  .map((options) => columnOf(options));

/** @returns undefined where it is refused with one of these codes */
function valueOrCode<Value>(check: () => Value, codes: RegExp): Value | undefined {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    assert.match(error.code, codes);
    return undefined;
  }
}

const looksEncrypted = (value: Buffer) =>
  isContainerHeader(value) || acraBlockLength(value) !== undefined || isAcraStruct(value);

const tasks = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.array(anyBytes(6), { minLength: 1, maxLength: 3 })), {
  minLength: 1,
  maxLength: 3,
});

export const ENGINE_ANSWERS = [
  fuzzer({
    parser,
    name: 'takes a whole container for protected, what looks encrypted for kept, and nothing else',
    inputs: fc.tuple(
      columns,
      hostile(values),
      hostile(storedValues),
      fc.constantFrom('other', 'same', 'behind a hash'),
    ),
    holds: ([column, value, answer, how]) => {
      const stored = { other: answer, same: value, 'behind a hash': Buffer.concat([Buffer.alloc(33, 0x7f), value]) }[
        how
      ]!;
      const outcome = valueOrCode(() => checkStored(column, value, stored), /^ENGINE_(UNPROTECTED|VALUE_FOREIGN)$/);
      if (outcome === undefined) return;
      if (column.searchable) assert.ok(searchHashAt(stored));
      const rest = stored.subarray(column.searchable ? 33 : 0);
      if (outcome === 'kept') {
        assert.ok(rest.equals(value) && looksEncrypted(value));
        return;
      }
      const open = column.masking && value.length > column.masking.plaintextBytes ? column.masking.plaintextBytes : 0;
      assert.deepEqual(rest.subarray(0, open), value.subarray(0, open));
      const found = containerAt(rest.subarray(open));
      assert.equal(found?.end, rest.length - open);
      assert.equal(found?.envelope, column.envelope);
    },
  }),
  fuzzer({
    parser,
    name: 'takes a search hash alone for one, and a container for whole only where it is',
    inputs: fc.tuple(columns, hostile(values), hostile(storedValues)),
    holds: ([column, value, answer]) => {
      for (const sent of [answer, answer.subarray(0, 33), value]) {
        const isTaken = valueOrCode(
          () => checkSearched(column, value, sent) ?? true,
          /^ENGINE_(UNPROTECTED|VALUE_FOREIGN)$/,
        );
        if (isTaken) assert.ok(sent.length === 33 && sent[0] === 0x7f);
      }
      if (isOwnContainer(value, answer)) {
        assert.ok(looksEncrypted(value) && !answer.includes(value));
        assert.ok(!isOwnContainer(Buffer.concat([value, Buffer.of(0)]), answer), 'with a byte behind it');
      }
      if (isImpossibleBlock(value)) assert.equal(acraBlockLength(value), undefined);
      for (const bytes of [value, answer]) {
        const found = containerAt(bytes);
        if (found) assert.equal(bytes.readBigUInt64LE(3), BigInt(found.end));
        if (found) assert.deepEqual(found.body, bytes.subarray(12, found.end));
        for (const end of [found?.end ?? 12, acraBlockLength(bytes) ?? 18])
          assert.ok(end >= 12 && (end <= bytes.length || !found));
      }
    },
  }),
  fuzzer({
    parser,
    name: 'gives each cell its own answer, or takes nothing of a row',
    inputs: tasks.chain((asked) => {
      const row = new MadeUpRow(asked.map(([name, cells]) => ({ kind: 'reveal', of: columnOf({ name }), cells })));
      const honest = DATA_ROW.encode([...row.cells]).subarray(HEADER_BYTES);
      return fc.tuple(fc.constant(asked), hostile(fc.constant(honest)));
    }),
    holds: ([asked, body]) => {
      const row = new MadeUpRow(asked.map(([name, cells]) => ({ kind: 'reveal', of: columnOf({ name }), cells })));
      const revealed = valueOrState(() => DATA_ROW.decode(body)[0], /^08P01$/);
      const answers = valueOrCode(() => row.answers(revealed), /^ENGINE_LOST$/);
      if (!answers) return;
      assert.equal(revealed?.length, row.cells.length);
      const counts = answers.map((answer) => (answer.kind === 'values' ? answer.values.length : -1));
      assert.deepEqual(
        counts,
        asked.map(([, cells]) => cells.length),
      );
    },
  }),
];
