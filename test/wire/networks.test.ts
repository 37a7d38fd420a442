/** Networks of a configuration: what is a fault, and which addresses are in one. */
import { BlockList } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { WireError } from '../../wire/errors.ts';
import { addressBytes, addressKey, matcherOf, networkFault } from '../../wire/networks.ts';
import { throwsCode } from '../support/coded-error.ts';

const NETWORKS = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '192.0.2.1/32',
  '128.0.0.0/1',
  '::/0',
  '2001:db8::/32',
  'fe80::/10',
  '::1/128',
  '64:ff9b::192.0.2.0/120',
];

t.test('takes networks of both families', async (t) => {
  for (const network of NETWORKS) t.equal(networkFault(network), undefined, network);
});

const FAULTS: readonly [network: string, words: RegExp][] = [
  ['', /^a network is an address and a prefix/],
  ['10.0.0.0', /for one address write 10\.0\.0\.0\/32$/],
  ['2001:db8::1', /for one address write 2001:db8::1\/128$/],
  ['10.0.0.0/', /a network is/],
  ['/8', /a network is/],
  ['10.0.0.0/08', /a network is/],
  ['10.0.0.0/-1', /a network is/],
  ['10.0.0.0/8/8', /a network is/],
  ['10.0.0.0/8 ', /a network is/],
  ['10.0.0/8', /a network is/],
  ['010.0.0.0/8', /a network is/],
  ['10.0.0.0/255.0.0.0', /a network is/],
  ['localhost/32', /a network is/],
  ['[2001:db8::]/32', /a network is/],
  ['fe80::%eth0/64', /a network is/],
  ['10.0.0.0/33', /at most 32$/],
  ['2001:db8::/129', /at most 128$/],
  ['10.0.0.1/8', /the network is 10\.0\.0\.0\/8$/],
  ['10.128.0.0/8', /the network is 10\.0\.0\.0\/8$/],
  ['10.0.0.1/0', /the network is 0\.0\.0\.0\/0$/],
  ['2001:db8::1/32', /the network is 2001:db8::\/32$/],
  ['2001:db8:0:0:8000::/64', /the network is 2001:db8::\/64$/],
  ['::ffff:10.0.0.0/104', /written as IPv4$/],
  ['::ffff:0:0/96', /written as IPv4$/],
];

for (const [network, words] of FAULTS) {
  t.test(`finds the fault of ${JSON.stringify(network)}`, async (t) => {
    t.match(networkFault(network), words);
    throwsCode(() => matcherOf([network]), WireError, 'CONFIG_NETWORK');
  });
}

const MATCHES: readonly [network: string, inside: readonly string[], outside: readonly string[]][] = [
  [
    '10.0.0.0/8',
    ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3', '::ffff:a01:203'],
    ['9.255.255.255', '11.0.0.0', '::10.1.2.3', '64:ff9b::10.1.2.3'],
  ],
  ['192.0.2.1/32', ['192.0.2.1', '::ffff:192.0.2.1'], ['192.0.2.0', '192.0.2.2']],
  ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255', '::ffff:1.2.3.4'], ['::', '2001:db8::1']],
  ['::/0', ['::', 'ffff::', '::1.2.3.4', '64:ff9b::1.2.3.4'], ['1.2.3.4', '::ffff:1.2.3.4']],
  ['2001:db8::/33', ['2001:db8::', '2001:db8:7fff:ffff::1'], ['2001:db8:8000::', '2001:db7:ffff::']],
  ['fe80::/10', ['fe80::1%eth0', 'febf::1'], ['fec0::1']],
  ['::1/128', ['::1', '0:0:0:0:0:0:0:1'], ['::', '::2', '127.0.0.1']],
];

for (const [network, inside, outside] of MATCHES) {
  t.test(`tells what is in ${network}`, async (t) => {
    const isInside = matcherOf([network]);
    for (const address of inside) t.ok(isInside(address), address);
    for (const address of outside) t.notOk(isInside(address), address);
  });
}

t.test('finds nothing in no network, and nothing that is no address in any', async (t) => {
  t.notOk(matcherOf([])('10.0.0.1'));
  for (const text of ['', 'localhost', '10.0.0', '10.0.0.1/32', '1::2::3', '%eth0'])
    t.notOk(matcherOf(NETWORKS)(text), text);
});

t.test('finds an address in any of several networks', async (t) => {
  const isInside = matcherOf(['10.0.0.0/8', '2001:db8::/32', '192.0.2.0/24']);
  t.same(['10.1.1.1', '2001:db8::1', '192.0.2.9', '192.0.3.9', '::1'].map(isInside), [true, true, true, false, false]);
});

/** Node's own list, asked within one family: across families it takes `::/0` for IPv4 too. */
function isListed(family: 'ipv4' | 'ipv6', [base, prefix]: readonly [string, number], address: string): boolean {
  const list = new BlockList();
  list.addSubnet(base, prefix, family);
  return list.check(address, family);
}

t.test('agrees with another implementation on every prefix', async (t) => {
  const sameFamily = fc.constantFrom('ipv4' as const, 'ipv6' as const).chain((family) => {
    const address = family === 'ipv4' ? fc.ipV4() : fc.ipV6().filter((text) => !text.includes('.'));
    return fc.tuple(fc.constant(family), address, fc.nat(family === 'ipv4' ? 32 : 128), address);
  });
  fc.assert(
    fc.property(sameFamily, ([family, base, prefix, address]) => {
      const suggested =
        /the network is (\S+)$/.exec(networkFault(`${base}/${prefix}`) ?? '')?.[1] ?? `${base}/${prefix}`;
      if (networkFault(suggested) !== undefined) return;
      for (const one of [base, address]) {
        t.equal(matcherOf([suggested])(one), isListed(family, [base, prefix], one), `${one} in ${suggested}`);
      }
    }),
    { seed: 1, numRuns: 1000 },
  );
});

t.test('counts an IPv4 address for itself, mapped or not, and an IPv6 address with its /64', async (t) => {
  t.equal(addressKey('192.0.2.1'), '192.0.2.1');
  t.equal(addressKey('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(addressKey('::ffff:c000:201'), '192.0.2.1');
  t.equal(addressKey('2001:db8:10:2:ffff::1'), '2001:db8:10:2::/64');
  t.equal(addressKey('::1'), '0:0:0:0::/64');
  t.equal(addressKey('fe80::1%eth0'), 'fe80:0:0:0::/64');
  for (const other of ['', 'localhost', '192.0.2.256', '192.0.2.0/24']) t.equal(addressKey(other), undefined, other);
});

t.test('gives the bytes of an address', async (t) => {
  t.same(addressBytes('192.0.2.1'), Buffer.of(192, 0, 2, 1));
  t.same(addressBytes('2001:db8::ff')?.toString('hex'), `20010db8${'0'.repeat(22)}ff`);
  t.equal(addressBytes('two'), undefined);
});
