import t from 'tap';
import { shapeOfError } from '../../../../supervisor/workloads/sessions/error-shape.ts';
import { identitiesIn } from '../../../../supervisor/workloads/sessions/identities.ts';

const MIB = 1024 * 1024;

t.test('finds room for one identity in the smallest enclave, and for as many more as memory allows', async (t) => {
  t.equal(identitiesIn(256 * MIB), 1);
  t.equal(identitiesIn(1024 * MIB), 3);
  t.ok(identitiesIn(128 * 1024 * MIB) >= 500, 'as many as may be known');
});

const TOLD = {
  "TypeError: Cannot read properties of 'the patient has gout'": 'TypeError',
  'Uncaught Error [ERR_STREAM_WRITE]: the patient': 'Error [ERR_STREAM_WRITE]',
  '    at Guard.#take (file:///acra-enclave/sessions-guard-main.mjs:12:34)':
    'at Guard.#take (file:///acra-enclave/sessions-guard-main.mjs:12:34)',
  "  code: 'ERR_X',": 'ERR_X',
  'Node.js v26.10.0': 'Node.js v26.10.0',
};
t.test('tells of an error that ended a program its kind and its place, and nothing of what it says', async (t) => {
  for (const [line, told] of Object.entries(TOLD)) t.equal(shapeOfError(line), told);
  for (const line of ['the patient has gout', '    at (the patient)', 'SELECT 1', "  value: 'gout'"]) {
    t.equal(shapeOfError(line), undefined, line);
  }
});
