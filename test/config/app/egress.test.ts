/** `egress.http` of both files: every mistake is found when the file is read, at its place, with what is allowed. */
import t from 'tap';
import { appEnclaveSchema } from '../../../config/app/app-enclave.ts';
import { appHostSections } from '../../../config/app/app-host.ts';

const SMALLEST = { version: 1, workload: 'app', name: 'web', programs: { web: { command: ['/bin/web'] } } };

function faultsOf(http: object, sections: object = {}): string[] {
  const result = appEnclaveSchema.safeParse({ ...SMALLEST, ...sections, egress: { http } });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

function hostFaultsOf(http: object): string[] {
  const result = appHostSections.egress.safeParse({ http });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

t.test('takes a list of every kind of rule', async (t) => {
  const allow = ['api.example.com', '*.example.com:80', '**.example.com:1-65535', '10.0.0.0/8:5432', '[2001:db8::/32]'];
  t.same(faultsOf({ allow, deny: ['bad.example.com'] }), []);
  t.same(hostFaultsOf({ allow, deny: ['169.254.0.0/16:1-65535'] }), []);
});

/** What stands in a list, and what is told of it. */
const MISTAKES: readonly [rule: string, words: RegExp][] = [
  ['10.0.0.0/33', /the prefix of such an address is at most 32; allowed: NAME/],
  ['10.0.0.1/8', /the network is 10\.0\.0\.0\/8/],
  ['10.0.0', /ends in a number/],
  ['foo.**.com', /\*\* stands first/],
  ['*', /wildcards stand before a name/],
  ['*foo.com', /a whole label/],
  ['example.com.', /without a dot/],
  ['https://example.com', /no URL/],
  ['example.com:99999', /1 to 65535/],
  ['münchen.de', /xn--mnchen-3ya\.de/],
  ['2001:db8::1', /in brackets/],
  ['0.0.0.0', /never reached/],
  ['localhost:8080', /the machine itself/],
  ['', /letters, digits/],
  [`${'a.'.repeat(200)}com`, /at most|Too big/i],
];

for (const [rule, words] of MISTAKES) {
  t.test(`finds ${JSON.stringify(rule.slice(0, 30))} at its place, in each list of each file`, async (t) => {
    t.match(
      faultsOf({ allow: ['a.com', rule] }).join('\n'),
      new RegExp(`^egress\\.http\\.allow\\.1: .*${words.source}`, 'mi'),
    );
    t.match(faultsOf({ allow: [], deny: [rule] }).join('\n'), /^egress\.http\.deny\.0: /m);
    t.match(hostFaultsOf({ allow: [rule] }).join('\n'), /^http\.allow\.0: /m);
    t.match(hostFaultsOf({ allow: [], deny: [rule] }).join('\n'), /^http\.deny\.0: /m);
  });
}

t.test('tells all mistakes of a list at once', async (t) => {
  t.equal(faultsOf({ allow: ['*', 'a.com', '10.0.0.0/99', 'b.com:0'] }).length, 3);
});

t.test('needs a list, which may be empty: then nothing goes out', async (t) => {
  t.match(faultsOf({}), [/^egress\.http\.allow: /]);
  t.same(faultsOf({ allow: [] }), []);
});

t.test('holds the proxy and its DNS to the loopback interface', async (t) => {
  t.match(faultsOf({ allow: [], listen: 'tcp://0.0.0.0:10000' }), [/^egress\.http\.listen: .*loopback/]);
  t.match(faultsOf({ allow: [], transparent: { dns: 'tcp://10.0.0.1:53' } }), [/transparent\.dns: .*loopback/]);
});

t.test('gives names loopback addresses that nobody else has, in a range that can be listened on', async (t) => {
  const transparent = (network: string) => faultsOf({ allow: [], transparent: { network } });
  for (const network of ['127.64.0.0/16', '127.128.0.0/9', '127.1.2.0/24']) t.same(transparent(network), [], network);
  for (const network of [
    '10.0.0.0/16',
    '127.0.0.0/8',
    '127.0.0.0/24',
    '127.64.0.0/25',
    '127.64.0.1/16',
    '::1/128',
    'x',
  ])
    t.match(transparent(network), [/^egress\.http\.transparent\.network: /], network);
  t.match(transparent('127.0.0.0/16'), [/without 127\.0\.0\.1/]);
  t.match(faultsOf({ allow: [], transparent: { network: '127.64.0.0/16', dns: 'tcp://127.64.0.9:53' } }), [
    /hold the address of dns/,
  ]);
  t.same(faultsOf({ allow: ['a.com:8000-8015', '10.0.0.0/8:1-65535'], transparent: {} }), []);
  t.match(faultsOf({ allow: ['b.com', 'a.com:8000-8016'], transparent: {} }), [
    /^egress\.http\.allow\.1: .*at most 16 ports/,
  ]);
});

t.test('lets no client from outside go out again by an address that stands for a name', async (t) => {
  const ingress = { web: { to: 'tcp://127.64.0.1:443' } };
  t.match(faultsOf({ allow: ['a.com'], transparent: {} }, { ingress }), [/^ingress\.web\.to: leads out again/]);
  t.same(faultsOf({ allow: ['a.com'] }, { ingress }), []);
});
