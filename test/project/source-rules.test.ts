/** Rules of CONTRIBUTING.md that a program can hold: short files that say why they exist, and errors with codes. */
import t from 'tap';
import { filesOf, readSource } from './imports.ts';
import { SOURCE_FOLDERS } from './source-folders.ts';
import { bareErrorsIn, lineCount, MAX_LINES, uncodedClassesIn } from './source-rules.ts';

const product = filesOf(SOURCE_FOLDERS);
const all = [...product, ...filesOf(['test', 'bench', 'scripts'])];

/**
 * They never leave their folder: reasons of signals, what a format's reader throws to the boundary that names it, what KMS or
 * PostgreSQL answer in their own words, and the reduced cause of an error with a code.
 */
const UNCODED_CLASSES = [
  'acra/statements/parser.ts BrokenParserError',
  'cli/data/reencrypt/rewrite-rows.ts RowFault',
  'emulator/acra-server/flags.ts UnknownFlagError',
  'emulator/kms/service-error.ts ServiceError',
  'encoding/format-error.ts FormatError',
  'host-proxy/doctor/checks/imds.ts NoAnswer',
  'kms/failure.ts ReducedError',
  'postgres/session-error.ts SessionError',
  'runtime/abort.ts StopRequested',
  'runtime/deadline.ts DeadlinePassed',
  'runtime/errors.ts CodedError',
];

t.test(`keeps every file at ${MAX_LINES} lines or less, tests too`, async (t) => {
  t.ok(all.some((file) => file.startsWith('test/')) && product.length > 100, 'files were read');
  t.same(
    all.filter((file) => lineCount(readSource(file)) > MAX_LINES),
    [],
  );
});

t.test('keeps every file of the product opened by a comment that says why it exists', async (t) => {
  t.same(
    product.filter((file) => !/^(#!.*\n)?\/\*\*/.test(readSource(file))),
    [],
  );
});

t.test('keeps bare errors out of the product: each has the code of its boundary', async (t) => {
  t.same(
    product.flatMap((file) => bareErrorsIn(readSource(file)).map((line) => `${file}:${line}`)),
    [],
  );
});

t.test('keeps classes of errors without a code to those that never leave their folder', async (t) => {
  const found = product.flatMap((file) => uncodedClassesIn(readSource(file)).map((name) => `${file} ${name}`));
  t.same(found.toSorted(), UNCODED_CLASSES);
});

t.test('sees every form of a bare error', async (t) => {
  for (const line of [
    "throw new Error('x')",
    "throw Error('x')",
    "reject(new TypeError('x'))",
    'signal.abort(new RangeError(text))',
    "throw 'x'",
    'throw `x`',
    'throw { code: 1 }',
    'const cause = new Error(message, { cause });',
  ]) {
    t.same(bareErrorsIn(`a;\n${line}\n`), [`2: ${line}`]);
  }
  for (const line of [
    "throw new ConfigError('CONFIG_SYNTAX', 'x')",
    'throw error',
    'new AggregateError(errors)',
    'if (error instanceof Error) return describeError(error);',
    "// throw new Error('x')",
    'res.on("error", onError)',
    'class MineError extends Error {}',
    'new KernelError(code)',
  ]) {
    t.same(bareErrorsIn(line), [], line);
  }
});

t.test('counts lines as an editor does, and sees classes beside CodedError', async (t) => {
  t.equal(lineCount('a\n'.repeat(300)), 300);
  t.equal(lineCount(`${'a\n'.repeat(300)}b`), 301);
  t.same(
    uncodedClassesIn('export class A extends Error {}\nclass B extends TypeError {}\nclass C extends CodedError<X> {}'),
    ['A', 'B'],
  );
});
