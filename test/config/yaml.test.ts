/** One reader for every YAML file: what it refuses, with the place and CONFIG_SYNTAX, under both ways to read scalars. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import { EncryptorError } from '../../acra/errors.ts';
import { enclaveSchema } from '../../config/enclave.ts';
import { ConfigError } from '../../config/errors.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { parseYaml } from '../../config/yaml.ts';
import { recipeSchema } from '../../eif/image/recipe.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

const REFUSED: readonly (readonly [what: string, text: string | Buffer, place: string, message: RegExp])[] = [
  ['an alias', 'a: &x 1\nb: *x\n', '2:4', /aliases are not allowed; write the value out/],
  ['an alias of nothing', 'b: *x\n', '1:4', /alias/i],
  ['an alias as a key', 'a: &x b\n*x : 1\n', '2:1', /a key must be a plain text/],
  [
    'a billion laughs',
    `a0: &a0 [x, x]\n${lines(30, (i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)}`,
    '2:10',
    /alias/,
  ],
  ['a merge key', 'a: {<<: {b: 1}}\n', '1:5', /merge keys are not allowed/],
  ['a key that objects take for their prototype', 'a:\n  __proto__: 1\n', '2:3', /"__proto__" is not allowed/],
  ['the same in quotes', 'a: {b: {"__proto__": x}}\n', '1:9', /"__proto__" is not allowed/],
  ['an unknown tag', 'a: !secret 1\n', '1:4', /tag: !secret/],
  ['an unknown tag of a map', 'a: !env {b: 1}\n', '1:4', /tag: !env/],
  ['a binary', 'a: !!binary aGk=\n', '1:13', /tag:yaml.org,2002:binary is not allowed/],
  ['a key that stands there twice', 'a: 1\nb: 2\na: 3\n', '3:1', /the key "a" stands here a second time/],
  ['a key that stands there twice, once in quotes', 'x:\n  a: 1\n  "a": 3\n', '3:3', /the key "a"/],
  ['a second document', 'a: 1\n---\nb: 2\n', '2:1', /multiple documents; only one is read$/],
  ['a directive', '%YAML 1.1\n---\na: yes\n', '1:1', /directives are not allowed/],
  ['a tab as indentation', 'a:\n\tb: 1\n', '2:1', /[Tt]abs/],
  ['a NUL', 'a: 1\nb: "x\0"\n', '2:6', /NUL/],
  ['text that is not UTF-8', Buffer.from('a: \xe9\n', 'latin1'), '1:1', /not UTF-8/],
  ['UTF-16', Buffer.from('\ufeffa: 1\n', 'utf16le'), '1:1', /not UTF-8/],
  ['an unclosed quote', 'a: "x\n', '2:1', /quote/],
  ['an unclosed bracket', 'a: [x\n', '2:1', /./],
  ['a list as a key', '? [a]\n: 1\n', '1:3', /a key must be a plain text/],
  ['brackets nested too deeply', `a: ${'['.repeat(100_000)}`, '1:104', /nested deeper than 100 levels/],
  ['braces nested too deeply', `a: 1\nb: ${'{a: '.repeat(50_000)}`, '2:404', /nested deeper/],
  ['blocks nested too deeply', lines(1200, (i) => `${' '.repeat(i)}a:`), '', /nested/],
  ['lists nested too deeply', '- '.repeat(50_000), '', /nested/],
];

for (const [what, text, place, message] of REFUSED) {
  t.test(`rejects ${what} (CONFIG_SYNTAX)`, async (t) => {
    for (const scalars of ['typed', 'text'] as const) {
      const bytes = Buffer.from(text as string);
      const error = throwsCode(() => parseYaml(bytes, 'some.yaml', { scalars }), ConfigError, 'CONFIG_SYNTAX');
      t.ok(error.message.startsWith(`some.yaml:${place}`), error.message);
      t.match(error.message, message);
      t.notMatch(error.message, '\n');
    }
  });
}

t.test('takes a byte order mark, comments, anchors that nobody uses, and an end mark', async (t) => {
  const read = (text: string) => parseYaml(Buffer.from(text), 'f', { scalars: 'typed' }).value;
  t.same(read('\ufeffa: 1\n'), { a: 1 });
  t.same(read('# first\n---\na: &x 1 # one\n...\n'), { a: 1 });
  t.same(read(`a: ${'['.repeat(99)}${']'.repeat(99)}`), { a: JSON.parse(`${'['.repeat(99)}${']'.repeat(99)}`) });
  for (const empty of ['', '\n', '# nothing\n']) t.equal(read(empty), null);
  t.same(read('"<<": 1\n'), { '<<': 1 }, 'in quotes it is a key like any other');
});

t.test('keeps every other name that objects inherit a key like any other', async (t) => {
  const names = Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== '__proto__');
  const text = Buffer.from(names.map((name) => `${name}: 1\n`).join(''));
  for (const scalars of ['typed', 'text'] as const)
    t.same(Object.keys(parseYaml(text, 'f', { scalars }).value as object), names, scalars);
});

t.test('reads a map of many keys in time that grows with their number', async (t) => {
  const text = Buffer.from(lines(20_000, (i) => `key${i}: ${i}`));
  t.equal(Object.keys(parseYaml(text, 'f', { scalars: 'typed' }).value as object).length, 20_000);
});

t.test('refuses the same in every file that people write', async (t) => {
  const folder = temporaryFolder(t);
  const schemas = { 'enclave.yaml': enclaveSchema, 'host-proxy.yaml': hostProxySchema, 'image.yaml': recipeSchema };
  for (const [what, text, place] of REFUSED) {
    for (const [name, schema] of Object.entries(schemas)) {
      const file = join(folder, name);
      writeFileSync(file, text);
      const { message } = throwsCode(() => loadConfig(schema, file), ConfigError, 'CONFIG_SYNTAX');
      t.ok(message.startsWith(`${file}:${place}`), `${name}: ${what}`);
    }
    const parse = () => parseEncryptorConfig(Buffer.from(text as string), 'encryptor.yaml');
    const { message } = throwsCode(parse, EncryptorError, 'ENCRYPTOR_SYNTAX');
    t.ok(message.startsWith(`encryptor.yaml:${place}`), `encryptor.yaml: ${what}`);
  }
});

t.test('rejects a document that is no map (CONFIG_INVALID)', async () => {
  const file = join(temporaryFolder(t), 'host-proxy.yaml');
  for (const text of ['', '- a\n', 'text', '42', 'null']) {
    writeFileSync(file, text);
    throwsCode(() => loadConfig(hostProxySchema, file), ConfigError, 'CONFIG_INVALID');
  }
});

t.test('rejects what cannot be read, and what never ends (CONFIG_FILE_READ)', async (t) => {
  const folder = temporaryFolder(t);
  const large = join(folder, 'large.yaml');
  writeFileSync(large, Buffer.alloc(1024 * 1024 + 1, '#'));
  mkdirSync(join(folder, 'folder'));
  for (const file of [large, join(folder, 'none'), join(folder, 'folder'), '/dev/zero']) {
    throwsCode(() => loadConfig(hostProxySchema, file), ConfigError, 'CONFIG_FILE_READ');
  }
});
