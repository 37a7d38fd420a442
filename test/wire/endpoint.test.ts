import fc from 'fast-check';
import t from 'tap';
import { CID_ANY, toCid, toPcrIndex, toVsockPort } from '../../wire/brands.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { formatEndpoint, parseEndpoint } from '../../wire/endpoint.ts';
import { WireError } from '../../wire/errors.ts';
import { throwsCode } from '../support/coded-error.ts';

t.test('reads every documented form', async (t) => {
  t.same(parseEndpoint('tcp://127.0.0.1:5432'), { kind: 'tcp', host: '127.0.0.1', port: 5432 });
  t.same(parseEndpoint('tcp://[::1]:0'), { kind: 'tcp', host: '::1', port: 0 });
  t.same(parseEndpoint('tcp://db.example-1.internal:1'), { kind: 'tcp', host: 'db.example-1.internal', port: 1 });
  t.same(parseEndpoint('tcp://db.internal.:1'), { kind: 'tcp', host: 'db.internal.', port: 1 });
  t.same(parseEndpoint('tcp://my_db:1'), { kind: 'tcp', host: 'my_db', port: 1 });
  t.same(parseEndpoint('tcp://[::ffff:10.0.0.1]:1'), { kind: 'tcp', host: '::ffff:10.0.0.1', port: 1 });
  t.same(parseEndpoint('tcp://0.0.0.0:1'), { kind: 'tcp', host: '0.0.0.0', port: 1 });
  t.same(parseEndpoint('tcp://10-0-0-1.3com:1'), { kind: 'tcp', host: '10-0-0-1.3com', port: 1 });
  t.same(parseEndpoint('unix:///run/a.sock'), { kind: 'unix', path: '/run/a.sock' });
  t.same(parseEndpoint('vsock://3:9001'), { kind: 'vsock', cid: 3, port: 9001 });
  t.same(parseEndpoint('vsock://any:9001'), { kind: 'vsock', cid: CID_ANY, port: 9001 });
  t.same(parseEndpoint('vsock-uds:///d/vm?port=7'), { kind: 'vsock-uds', path: '/d/vm', port: 7, cid: undefined });
  t.same(parseEndpoint('vsock-uds-guest:///d/vm?port=7&cid=16'), {
    kind: 'vsock-uds-guest',
    path: '/d/vm',
    port: 7,
    cid: 16,
  });
});

const REFUSED = [
  '',
  'tcp',
  'tcp://',
  'tcp://host',
  'tcp://host:',
  'tcp://host:65536',
  'tcp://host:-1',
  'tcp://ho st:1',
  'tcp://::1:5',
  'http://host:1',
  'unix://relative',
  'unix:///a\n/b'.slice(0, 7),
  `unix:///${'x'.repeat(107)}`,
  'vsock://3',
  'vsock://three:1',
  'vsock://3:4294967296',
  'vsock://4294967296:1',
  'vsock-uds:///p',
  'vsock-uds:///p?port=',
  'vsock-uds://p?port=1',
  `vsock-uds:///${'x'.repeat(104)}?port=10000`,
  'vsock-uds:///p?port=1&cid=',
  'vsock-uds:///p?port=1&other=2',
  ' tcp://a:1',
  'tcp://a:1 ',
  'TCP://a:1',
  'tcp://[::::]:443',
  'tcp://[1.2.3.4]:443',
  'tcp://[:]:443',
  'tcp://999.1.1.1:443',
  'tcp://1.2.3:443',
  'tcp://127.1:443',
  'tcp://0x7f000001:443',
  'tcp://12345:443',
  'tcp://a.b.5:443',
  'tcp://a..b:443',
  'tcp://.a:443',
  'tcp://.:443',
  'tcp://-:443',
  'tcp://-a.b:443',
  'tcp://a-.b:443',
  `tcp://${'x'.repeat(64)}:443`,
  `tcp://${'x.'.repeat(127)}xx:443`,
  'tcp://224.0.0.1:443',
  'tcp://239.255.255.250:443',
  'tcp://255.255.255.255:443',
  'tcp://[ff02::1]:443',
];

t.test('rejects anything else (CONFIG_ENDPOINT, CONFIG_NUMBER_RANGE)', async (t) => {
  for (const text of REFUSED) {
    try {
      parseEndpoint(text);
      t.fail(`accepted ${JSON.stringify(text)}`);
    } catch (error) {
      t.ok(error instanceof WireError && /^CONFIG_(ENDPOINT|NUMBER_RANGE)$/.test(error.code), JSON.stringify(text));
    }
  }
});

t.test('keeps parse(format(x)) equal to x', async () => {
  const path = fc.stringMatching(/^\/[a-z0-9/._-]{1,40}$/);
  const port = fc.nat(0xffff_ffff).map(toVsockPort);
  const cid = fc.nat(0xffff_fffe).map(toCid);
  const endpoint: fc.Arbitrary<Endpoint> = fc.oneof(
    fc.record({
      kind: fc.constant('tcp' as const),
      host: fc.constantFrom('127.0.0.1', '::1', 'db.internal'),
      port: fc.nat(65535),
    }),
    fc.record({ kind: fc.constant('unix' as const), path }),
    fc.record({ kind: fc.constant('vsock' as const), cid: fc.oneof(cid, fc.constant(CID_ANY)), port }),
    fc.record({
      kind: fc.constantFrom('vsock-uds' as const, 'vsock-uds-guest' as const),
      path,
      port,
      cid: fc.option(cid, { nil: undefined }),
    }),
  );
  fc.assert(
    fc.property(endpoint, (value) => {
      t.same(parseEndpoint(formatEndpoint(value)), value);
    }),
    { numRuns: 200, seed: 1 },
  );
});

t.test('rejects PCR indexes, CIDs and ports outside their range (CONFIG_NUMBER_RANGE)', async (t) => {
  t.equal(toPcrIndex(0), 0);
  t.equal(toPcrIndex(31), 31);
  for (const make of [
    () => toPcrIndex(32),
    () => toPcrIndex(-1),
    () => toPcrIndex(1.5),
    () => toCid(2 ** 32),
    () => toVsockPort(Number.NaN),
  ]) {
    throwsCode(make, WireError, 'CONFIG_NUMBER_RANGE');
  }
  t.pass();
});
