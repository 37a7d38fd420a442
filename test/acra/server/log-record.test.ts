import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { describeLogCode } from '../../../acra/server/log-codes.ts';
import { alarmOf, UNREADABLE_RECORD } from '../../../acra/server/log-concerns.ts';
import { parseAcraLogLine } from '../../../acra/server/log-record.ts';

const parse = (text: string) => parseAcraLogLine({ text, writtenBytes: Buffer.byteLength(text), isCut: false });
const json = (fields: Record<string, unknown>) => parse(JSON.stringify({ level: 'error', ...fields }));

const realLines = readFileSync(new URL('../../vectors/acra/acra-0.96.0-log.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '');

t.test('passes on what acra-server really says of itself, but not what its parsers quote', async (t) => {
  const withheld = realLines.filter((line) => parse(line).withheldBytes !== undefined);
  t.ok(realLines.length > 30);
  t.ok(
    withheld.every((line) => /unknown token type|cannot unmarshal/.test(line)),
    withheld.join('\n'),
  );
});

t.test('reads time, level, code, session and error', async (t) => {
  const line = realLines.find((each) => each.includes('"code":540')) ?? '';
  t.same(parse(line), {
    level: 'error',
    message: "Can't connect to db",
    code: 540,
    error: 'dial tcp 127.0.0.1:1: connect: connection refused',
    timeMs: JSON.parse(line).unixTime * 1000,
    sessionId: 1,
    version: '0.96.0',
  });
  t.equal(describeLogCode(540)?.concern, 'database');
});

t.test('reads the text form that comes before the format is known', async (t) => {
  const line = realLines.find((each) => each.startsWith('time=')) ?? '';
  t.match(parse(line), { level: 'error', message: "Can't parse config", code: 508, error: undefined });
});

t.test('gives code 101 only for the shutdown, not for the announcement at start', async (t) => {
  const codes = realLines.filter((line) => line.includes('"code":101')).map((line) => parse(line).code);
  t.same(codes, [undefined, 101]);
});

const SECRET = "'4111 1111 1111 1111'";
const leaks: [string, Record<string, unknown>][] = [
  ['a message that quotes a statement', { msg: `ignoring error parsing DDL 'create ${SECRET}'` }],
  ['an error that quotes a literal', { msg: "Can't encrypt expression", error: `syntax error near ${SECRET}` }],
  ['a field that holds a packet', { msg: 'Unexpected error', packet_buffer: SECRET, placeholder: SECRET }],
  ['a client id of another form', { msg: 'Unexpected error', client_id: SECRET }],
  ['a side of another form', { msg: 'Unexpected error', interrupt_side: SECRET }],
  ['a known message with a tail', { msg: `Unexpected error ${SECRET}` }],
  ['a panic that quotes a value', { msg: 'Panic in connection processing, close connection', error: SECRET }],
  ['a byte of the master key', { msg: 'Failed to parse ACRA_MASTER_KEY', error: `invalid character ${SECRET}` }],
];
for (const [what, fields] of leaks) {
  t.test(`withholds ${what}`, async (t) => {
    t.notMatch(JSON.stringify(json(fields)), /4111/);
  });
}

t.test('keeps level and code of a record whose text it withholds, and counts its bytes', async (t) => {
  const record = json({ msg: `secret ${SECRET}`, code: 1200 });
  t.match(record, { level: 'error', code: 1200 });
  t.ok((record.withheldBytes ?? 0) > SECRET.length);
});

t.test('names functions, files and reason of a Go crash without arguments, registers and values', async (t) => {
  const crash: [string, string | undefined][] = [
    ['panic: runtime error: slice bounds out of range [:-4]', 'panic: runtime error: slice bounds out of range [:-4]'],
    ['fatal error: out of memory', 'fatal error: out of memory'],
    [
      '[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]',
      '[signal SIGSEGV: segmentation violation code',
    ],
    ['goroutine 7 gp=0x2fb6 m=nil [chan receive, 2 minutes]:', 'goroutine 7'],
    ['main.(*Server).run(0xc000012345, {0x13f2000, 0x2f?}, 0x0?)', 'main.(*Server).run'],
    ['\t/src/cmd/acra-server/acra-server.go:819 +0x52ff fp=0x2fb6', '/src/cmd/acra-server/acra-server.go:819'],
    ['created by main.serve in goroutine 1', 'created by main.serve in goroutine 1'],
    ['rax    0x3131313134', undefined],
    [`panic: bad value ${SECRET}`, undefined],
  ];
  for (const [line, text] of crash) {
    const { level, message, withheldBytes } = parse(line);
    t.equal(level, 'error');
    if (text === undefined) t.equal(withheldBytes, Buffer.byteLength(line), line);
    else t.match(text, message, line);
  }
});

for (const [what, text, isCut] of [
  ['is cut', '{"level":"info","msg":"Keystore init OK"', true],
  ['begins like one and is none', '{"level":"info","msg":"Keystore init OK",,}', false],
] as const) {
  t.test(`tells that nobody can read a record that ${what}`, async (t) => {
    const record = parseAcraLogLine({ text, writtenBytes: 70_000, isCut });
    t.same(record, { level: 'fatal', message: UNREADABLE_RECORD, withheldBytes: 70_000 });
    t.equal(alarmOf(record)?.concern, 'unread');
  });
}

t.test('never throws, and never passes on a word of a line that it does not know', async (t) => {
  const line = fc.oneof(
    fc.string({ maxLength: 300 }),
    fc.json(),
    fc.string().map((msg) => JSON.stringify({ msg })),
  );
  fc.assert(
    fc.property(line, (text) => {
      const record = parse(`${text}${SECRET}`);
      t.notMatch(JSON.stringify(record), /4111/);
    }),
    { numRuns: 300, seed: 3 },
  );
});
