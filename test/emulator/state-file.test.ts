import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { EmulatorError } from '../../emulator/errors.ts';
import { createOnce, parseState, readIfPresent, writeAtomically } from '../../emulator/state-file.ts';
import { rejectsCode, throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

t.test('replaces a file in one step, for its owner alone, whatever mode it had', async (t) => {
  const path = join(temporaryFolder(t), 'new', 'state.json');
  await writeAtomically(path, 'one');
  chmodSync(path, 0o644);
  await writeAtomically(path, 'two');
  t.equal(readFileSync(path, 'utf8'), 'two');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(readdirSync(join(path, '..')), ['state.json']);
});

t.test('leaves the old content when it cannot write (EMULATOR_STATE)', async (t) => {
  const path = join(temporaryFolder(t), 'taken');
  mkdirSync(path);
  writeFileSync(join(path, 'inside'), 'kept');
  await rejectsCode(() => writeAtomically(path, 'x'), EmulatorError, 'EMULATOR_STATE');
  t.equal(readFileSync(join(path, 'inside'), 'utf8'), 'kept');
  t.same(readdirSync(join(path, '..')), ['taken'], 'and no temporary file');
});

t.test('creates once: all who come together get what the first one wrote', async (t) => {
  const path = join(temporaryFolder(t), 'once');
  const given = await Promise.all(['a', 'b', 'c', 'd'].map((text) => createOnce(path, () => text)));
  t.equal(new Set(given).size, 1);
  t.equal(await readIfPresent(path), given[0]);
  t.equal(await createOnce(path, () => 'later'), given[0]);
});

t.test('tells a missing file from one that cannot be read (EMULATOR_STATE)', async (t) => {
  const folder = temporaryFolder(t);
  t.equal(await readIfPresent(join(folder, 'none')), undefined);
  await rejectsCode(() => readIfPresent(folder), EmulatorError, 'EMULATOR_STATE');
});

t.test('rejects state of another form (EMULATOR_STATE)', (t) => {
  const schema = z.strictObject({ a: z.int() });
  t.same(parseState('f', '{"a":1}', schema), { a: 1 });
  for (const text of ['', '{', '{"a":"1"}', '{"a":1,"b":2}']) {
    throwsCode(() => parseState('f', text, schema), EmulatorError, 'EMULATOR_STATE');
  }
  t.end();
});
