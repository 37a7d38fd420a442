/** What lists say of targets, tricky ones first (docs/specs/egress.md, 2 and 3). */
import fc from 'fast-check';
import t from 'tap';
import { readAddress } from '../../../wire/egress/address.ts';
import { EgressError } from '../../../wire/egress/errors.ts';
import { judgeAddress, judgeTarget, parseEgressList, portsOfName } from '../../../wire/egress/judge.ts';
import { egressTarget, parseAuthority } from '../../../wire/egress/target.ts';
import { formatAuthority } from '../../../wire/endpoint.ts';
import { TRICKY_ADDRESSES } from './support/tricky-addresses.ts';
import { TRICKY_LIST, type TrickyVerdict } from './support/tricky-list.ts';
import { TRICKY_NAMES } from './support/tricky-names.ts';

const list = parseEgressList(TRICKY_LIST);
const TRICKY = [...TRICKY_NAMES, ...TRICKY_ADDRESSES];

function verdictOn(authority: string): TrickyVerdict {
  try {
    const verdict = judgeTarget(list, parseAuthority(authority));
    return verdict.kind === 'allowed' ? 'allowed' : verdict.reason;
  } catch (error) {
    if (error instanceof EgressError && error.code === 'EGRESS_TARGET') return 'malformed';
    throw error;
  }
}

t.test('holds against tricky targets', async (t) => {
  t.ok(TRICKY.length >= 200, `${TRICKY.length} of them`);
  t.equal(new Set(TRICKY.map(([authority]) => authority)).size, TRICKY.length, 'each once');
  for (const [authority, verdict, why] of TRICKY)
    t.equal(verdictOn(authority), verdict, `${JSON.stringify(authority)}: ${why}`);
});

t.test('has one form for each target, which is judged as every other spelling of it', async (t) => {
  for (const [authority, verdict] of TRICKY) {
    if (verdict === 'malformed') continue;
    const target = parseAuthority(authority);
    const form = formatAuthority(target);
    t.same(parseAuthority(form), target, authority);
    t.equal(form, form.toLowerCase());
    t.equal(verdictOn(form), verdict);
  }
});

t.test('tells no password of a target that it refuses', async (t) => {
  try {
    parseAuthority('user:secret@api.example.com:443');
    t.fail('was taken');
  } catch (error) {
    t.notMatch(JSON.stringify(error), /secret/);
  }
});

t.test('judges where a name leads by rules for networks alone', async (t) => {
  const said = (text: string, port: number) => {
    const address = readAddress(text);
    return address && (judgeAddress(list, address, port)?.reason ?? 'allowed');
  };
  for (const [text, port, verdict] of [
    ['203.0.113.1', 443, 'allowed'],
    ['10.1.2.3', 443, 'allowed'],
    ['fd12::1', 443, 'allowed'],
    ['10.9.2.3', 443, 'denied'],
    ['::ffff:10.9.2.3', 443, 'denied'],
    ['64:ff9b::a09:203', 443, 'denied'],
    ['2001:db8:bad::7', 443, 'denied'],
    ['127.0.0.1', 443, 'address'],
    ['127.0.0.1', 7100, 'allowed'],
    ['::ffff:127.0.0.1', 7100, 'allowed'],
    ['::1', 7100, 'address'],
    ['169.254.169.254', 53, 'address'],
    ['169.254.169.253', 53, 'allowed'],
    ['fd00:ec2::254', 7000, 'address'],
    ['0.0.0.0', 7000, 'address'],
    ['ff02::1', 7000, 'address'],
  ] as const) {
    t.equal(said(text, port), verdict, `${text} at ${port}`);
  }
  for (const text of ['fe80::1%eth0', '010.0.0.1', 'localhost', '']) t.equal(readAddress(text), undefined, text);
});

t.test('tells the ports at which a name may be reached', async (t) => {
  t.same(portsOfName(list, 'api.example.com'), [443]);
  t.same(portsOfName(list, 'x.deep.example.com'), [8000, 8001, 8002, 8003, 8004, 8005, 8006, 8007, 8008, 8009, 8010]);
  t.same(portsOfName(list, 'bad.deep.example.com'), []);
  t.same(portsOfName(list, 'other.example.com'), []);
});

t.test('allows nothing with an empty list, and nothing that is denied whatever allows it', async (t) => {
  const nothing = parseEgressList({ allow: [], deny: [] });
  const contrary = parseEgressList({ allow: TRICKY_LIST.allow, deny: TRICKY_LIST.allow });
  for (const [authority, verdict] of TRICKY) {
    if (verdict === 'malformed') continue;
    t.equal(judgeTarget(nothing, parseAuthority(authority)).kind, 'refused', authority);
    t.equal(judgeTarget(contrary, parseAuthority(authority)).kind, 'refused', authority);
  }
});

t.test('lets a rule name what it allows, whatever is asked', async (t) => {
  const label = fc.constantFrom(
    'api',
    'one',
    'deep',
    'bad',
    'example',
    'com',
    'sts',
    'aws',
    'a',
    'xn--mnchen-3ya',
    '_srv',
    '192',
    '0',
    '10',
    '1',
    '0x7f',
    '',
    'A',
    '%2e',
    'é',
  );
  const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
  const host = fc.oneof(
    name,
    fc.ipV4(),
    fc.ipV6().map((text) => `[${text}]`),
    fc.string({ maxLength: 20 }),
    fc.ipV4Extended(),
  );
  const port = fc.oneof(
    fc.constantFrom('443', '8000', '7000', '7100', '53'),
    fc.nat(70_000).map(String),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(host, port, (host, port) => {
      const authority = `${host}:${port}`;
      if (verdictOn(authority) !== 'allowed') return;
      const target = parseAuthority(authority);
      const verdict = judgeTarget(list, target);
      const rule = verdict.kind === 'allowed' ? verdict.rule : '';
      t.ok(TRICKY_LIST.allow.includes(rule), authority);
      const alone = parseEgressList({ allow: [rule], deny: [] });
      t.equal(judgeTarget(alone, target).kind, 'allowed', authority);
      t.equal(judgeTarget(alone, egressTarget(target.host, target.port)).kind, 'allowed', 'as the parent is told it');
    }),
    { seed: 1, numRuns: 20_000 },
  );
});
