/** The grammar of rules: what is one, and what is told of everything else (docs/specs/egress.md, 1). */
import t from 'tap';
import { EgressError } from '../../../wire/egress/errors.ts';
import { judgeTarget, parseEgressList } from '../../../wire/egress/judge.ts';
import { egressRuleFault, parseEgressRule } from '../../../wire/egress/rule.ts';
import { parseAuthority } from '../../../wire/egress/target.ts';
import { throwsCode } from '../../support/coded-error.ts';

const RULES: readonly [text: string, rule: object][] = [
  ['example.com', { kind: 'name', labels: ['example', 'com'], isDeep: false, from: 443, to: 443 }],
  ['EXAMPLE.Com:80', { kind: 'name', labels: ['example', 'com'], from: 80, to: 80 }],
  ['*.example.com:1-65535', { kind: 'name', labels: ['*', 'example', 'com'], isDeep: false, from: 1, to: 65_535 }],
  ['**.example.com', { kind: 'name', labels: ['example', 'com'], isDeep: true }],
  ['**.*.example.com', { kind: 'name', labels: ['*', 'example', 'com'], isDeep: true }],
  ['sts.*.amazonaws.com', { kind: 'name', labels: ['sts', '*', 'amazonaws', 'com'] }],
  ['*.com', { kind: 'name', labels: ['*', 'com'] }],
  ['database', { kind: 'name', labels: ['database'] }],
  ['_dmarc.example.com', { kind: 'name', labels: ['_dmarc', 'example', 'com'] }],
  ['xn--mnchen-3ya.de', { kind: 'name', labels: ['xn--mnchen-3ya', 'de'] }],
  ['192.0.2.1', { kind: 'network', network: '192.0.2.1/32', from: 443 }],
  ['192.0.2.0/24:8000-8010', { kind: 'network', network: '192.0.2.0/24', from: 8000, to: 8010 }],
  ['0.0.0.0/0', { kind: 'network', network: '0.0.0.0/0' }],
  ['[2001:db8::1]', { kind: 'network', network: '2001:db8::1/128' }],
  ['[2001:db8::/32]:22', { kind: 'network', network: '2001:db8::/32', from: 22 }],
  ['[::/0]:443', { kind: 'network', network: '::/0' }],
  ['[::1]:80', { kind: 'network', network: '::1/128' }],
  ['127.0.0.0/8:80', { kind: 'network', network: '127.0.0.0/8' }],
  ['169.254.169.254:80', { kind: 'network', network: '169.254.169.254/32' }],
];

for (const [text, rule] of RULES) {
  t.test(`reads ${text}`, async (t) => {
    t.equal(egressRuleFault(text), undefined);
    t.match(parseEgressRule(text), { ...rule, text });
  });
}

const FAULTS: readonly [text: string, words: RegExp][] = [
  ['', /letters, digits/],
  ['*', /wildcards stand before a name/],
  ['**', /wildcards stand before a name/],
  ['*:443', /wildcards stand before a name/],
  ['*.*', /wildcards stand before a name/],
  ['**.*', /wildcards stand before a name/],
  ['example.*', /wildcards stand before a name/],
  ['foo.**.com', /\*\* stands first/],
  ['**.**.com', /\*\* stands first/],
  ['*foo.com', /a whole label/],
  ['foo*.com', /a whole label/],
  ['***.com', /a whole label/],
  ['example.com.', /without a dot/],
  ['.example.com', /letters, digits/],
  ['a..com', /letters, digits/],
  ['-a.com', /letters, digits/],
  ['a b.com', /in ASCII/],
  ['a.com\0', /in ASCII/],
  ['user@a.com', /letters, digits/],
  ['%61.com', /letters, digits/],
  ['https://example.com', /no URL/],
  ['example.com/path', /a network is an address and a prefix/],
  ['münchen.de', /this one as xn--mnchen-3ya\.de/],
  ['xn--aa.de', /no A-label/],
  ['localhost:80', /the machine itself/],
  ['x.localhost', /the machine itself/],
  [`${'a'.repeat(64)}.com`, /at most 63/],
  ['10.0.0.0/33', /at most 32/],
  ['10.0.0.0/', /an address and a prefix/],
  ['10.0.0.1/8', /the network is 10\.0\.0\.0\/8/],
  ['10.0.0/8', /an address and a prefix/],
  ['10.0.0.0/8/8', /an address and a prefix/],
  ['10.0.0.0/255.0.0.0', /an address and a prefix/],
  ['10.0.0', /ends in a number/],
  ['10.0.0.256', /ends in a number/],
  ['010.0.0.1', /ends in a number/],
  ['0x0a.0.0.1', /ends in a number/],
  ['167772161', /ends in a number/],
  ['a.10', /ends in a number/],
  ['[10.0.0.1]', /IPv6 in brackets|only IPv6/],
  ['2001:db8::1', /in brackets/],
  ['2001:db8::/32', /in brackets/],
  ['[2001:db8::1/32]', /the network is 2001:db8::\/32/],
  ['[2001:db8::/129]', /at most 128/],
  ['[fe80::1%eth0]', /no IP address/],
  ['[2001:db8::1', /in brackets/],
  ['[]', /no IP address/],
  ['[::ffff:10.0.0.0/104]', /as IPv4/],
  ['[::ffff:10.0.0.1]', /as IPv4/],
  ['[64:ff9b::/96]', /as IPv4/],
  ['[2002::/16]', /as IPv4/],
  ['[2002:a00:1::/48]', /as IPv4/],
  ['[::/96]', /as IPv4/],
  ['[::10.0.0.1]', /as IPv4/],
  ['0.0.0.0', /never reached/],
  ['[::]', /never reached/],
  ['224.0.0.0/4', /never reached/],
  ['255.255.255.255', /never reached/],
  ['[ff02::1]', /never reached/],
  ['[2001::/32]', /never reached/],
  ['a.com:0', /1 to 65535/],
  ['a.com:65536', /1 to 65535/],
  ['a.com:080', /1 to 65535/],
  ['a.com:', /1 to 65535/],
  ['a.com:http', /1 to 65535/],
  ['a.com:-1', /1 to 65535/],
  ['a.com:1-', /1 to 65535/],
  ['a.com:1-2-3', /1 to 65535/],
  ['a.com:90-80', /begins with its lower/],
  ['a.com:80:90', /in brackets/],
  ['a.com:80,443', /1 to 65535/],
];

for (const [text, words] of FAULTS) {
  t.test(`refuses ${JSON.stringify(text)}, and says what is allowed`, async (t) => {
    t.match(egressRuleFault(text), words);
    t.match(egressRuleFault(text), /allowed: NAME, \*\.NAME/);
    throwsCode(() => parseEgressRule(text), EgressError, 'EGRESS_RULE');
  });
}

t.test('makes no name of a mistyped network, which would deny nothing', async () => {
  for (const text of ['10.0.0.0/33', '10.0.0.0\\8', '10.0.0', '10.0.0.0/x', '10.0.0.0-10.0.0.9', '300.1.1.1'])
    throwsCode(() => parseEgressList({ allow: [], deny: [text] }), EgressError, 'EGRESS_RULE');
});

/** What the rules of another product are tried with, at any port (docs/specs/egress.md, 8); `refused`: there is no such rule here. */
const ENCLAVER: readonly [rule: string, allowed: readonly string[], refused: readonly string[]][] = [
  [
    'example.com',
    ['example.com', 'Example.COM'],
    ['example.net', '.example.com', 'foo.com', '', 'abc.example.com', 'example.'],
  ],
  [
    '*.com',
    ['example.com', 'cnn.CoM'],
    ['example.net', '', 'news.ycombinator.com', 'beta.client1.saas.com', 'example.'],
  ],
  ['foo.*.com', ['foo.example.com'], ['example.net', '', 'example.', 'foo.bar.example.com', '.com']],
  ['**.amazonaws.com', ['kms.us-east-1.amazonaws.com', 's3.amazonaws.com'], ['amazonaws.com', '', 'example.com']],
  ['66.254.33.22', ['66.254.33.22'], ['66.254.33.21']],
  ['66.254.33.22/32', ['66.254.33.22'], ['66.254.33.21', '66.254.33.23']],
  ['0.0.0.0/0', ['66.254.33.22', '1.2.3.4'], ['255.255.255.255']],
  [
    '66.254.33.0/24',
    ['66.254.33.1', '66.254.33.22', '66.254.33.255'],
    ['66.254.34.1', '67.254.33.22', '66.254.32.255'],
  ],
  ['[::/0]', ['fc00::1234'], ['::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']],
];

for (const [rule, allowed, refused] of ENCLAVER) {
  t.test(`answers for ${rule} as Enclaver does, or refuses more`, async (t) => {
    const list = parseEgressList({ allow: [`${rule}:1-65535`], deny: [] });
    const said = (host: string) => {
      try {
        return judgeTarget(list, parseAuthority(`${host.includes(':') ? `[${host}]` : host}:443`)).kind;
      } catch {
        return 'refused';
      }
    };
    for (const host of allowed) t.equal(said(host), 'allowed', host);
    for (const host of refused) t.equal(said(host), 'refused', host);
  });
}

t.test('refuses bits behind a prefix, which Enclaver takes, and tells the network', async (t) => {
  t.match(egressRuleFault('66.254.33.22/24'), /the network is 66\.254\.33\.0\/24/);
});
