/**
 * The stand-in makes of every kind of value, in every kind of column, on every way, what the real acra-server makes of it:
 * against its recorded answers always, and where ACRA_SERVER names one, the recorded answers against it.
 */
import t from 'tap';
import { realAcraServer, withoutRealAcraServer } from '../../acra/support/real-acra-server.ts';
import { startRig } from './support/rig.ts';
import { type Outcomes, ValueRig } from './support/value-cases.ts';
import { PARTS, readVectors } from './support/value-vectors.ts';

t.setTimeout(180_000);

/**
 * Where the stand-in refuses what acra-server sends to the database as it came: plaintext (or the whole statement with all its
 * other values, which holds for a container that it cannot open in a searchable column), and AcraStructs.
 */
const REFUSED = [
  /, (escape literal|text parameter), "\\\\x61 62"$/,
  /^\w*(bytes|none), literal, "\\\\x61 62"$/,
  /, literal, "(ends with )?\\\\"$/,
  /, text parameter, "(line\\nbreak|tab\\t|delete |next line )/,
  /^(?!(\w*str|of_bob), literal)[^,]+, [^,]+, an AcraStruct by its form$/,
  /^search_(?!str, literal)\w+, [^,]+, container, (another client's|block length|key id|key length|sealed key|sealed data)/,
];
const REFUSALS = ['error 42000', 'error 0A000'];
const isRefused = (name: string) => REFUSED.some((each) => each.test(name));

const recorded = readVectors();
const rig = await startRig(t);
const values = await ValueRig.prepare(rig);

async function compare(t: { same(a: unknown, b: unknown): unknown }, actual: Outcomes, expected: Outcomes) {
  const differing = Object.keys({ ...expected, ...actual })
    .filter((name) => actual[name] !== expected[name])
    .map((name) => ({ name, actual: actual[name], expected: expected[name] }));
  t.same(differing, []);
}

const standIn = await rig.acra(values.options);
for (const part of PARTS) {
  t.test(`does as acra-server did when it is to ${part}`, async (t) => {
    const outcomes = await values[part](standIn);
    const expected = Object.entries(recorded[part]).map(([name, outcome]) => {
      const isRightlyRefused = part !== 'read' && isRefused(name) && REFUSALS.includes(outcomes[name] ?? '');
      return [name, isRightlyRefused ? outcomes[name] : outcome];
    });
    await compare(t, outcomes, Object.fromEntries(expected));
    const names = Object.keys(recorded[part]);
    const plain = names.filter((name) => isRefused(name) && !REFUSALS.includes(outcomes[name] ?? ''));
    t.same(part === 'read' ? [] : plain, [], 'and refuses all that acra-server does not protect');
  });
}

t.test('acra-server does as it did', { skip: withoutRealAcraServer }, async (t) => {
  const real = await rig.acra({ ...values.options, command: { program: realAcraServer, args: [] } });
  for (const part of PARTS) await compare(t, await values[part](real), recorded[part]);
});
