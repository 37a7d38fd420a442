/** The short form: some hundred cases of each property, always the same ones. */
import t from 'tap';
import { FUZZERS } from './all.ts';

const CASES = 400;
const SEED = 1;

for (const { parser, name, share, run } of FUZZERS) {
  t.test(`${parser}: ${name}`, async (t) => {
    const { finding } = await run(SEED, Math.ceil(CASES * share));
    t.equal(finding, undefined);
  });
}
