/** What limits by address count by. */
import t from 'tap';
import { peerOf } from '../../../relay/worker/peer-address.ts';
import { encodeInet, encodeUnix, encodeVsock } from '../../../system/libc/sockaddr.ts';
import { toCid, toVsockPort } from '../../../wire/brands.ts';
import { parseEndpoint } from '../../../wire/endpoint.ts';

const TCP = parseEndpoint('tcp://0.0.0.0:5432');
const peerAt = (host: string) => peerOf(TCP, encodeInet(host, 50_000) ?? Buffer.alloc(16));
const keyOf = (host: string) => peerAt(host).address;

t.test('counts an IPv4 address for itself, and an IPv4-mapped one as the same', async (t) => {
  t.equal(keyOf('192.0.2.1'), '192.0.2.1');
  t.equal(keyOf('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(keyOf('::ffff:c000:201'), '192.0.2.1');
  t.not(keyOf('192.0.2.2'), keyOf('192.0.2.1'));
});

t.test('counts the addresses of an IPv6 /64 as one', async (t) => {
  t.equal(keyOf('2001:db8:1:2::1'), '2001:db8:1:2::/64');
  t.equal(keyOf('2001:db8:1:2:ffff:ffff:ffff:ffff'), '2001:db8:1:2::/64');
  t.not(keyOf('2001:db8:1:3::1'), keyOf('2001:db8:1:2::1'));
  t.not(keyOf('::1'), keyOf('::ffff:0.0.0.1'));
});

t.test('knows the whole address and the port', async (t) => {
  t.same(peerAt('192.0.2.1').source, { address: '192.0.2.1', port: 50_000 });
  t.same(peerAt('2001:DB8:1:2:0::1').source, { address: '2001:db8:1:2::1', port: 50_000 });
  t.same(peerAt('::ffff:192.0.2.1').source, { address: '::ffff:192.0.2.1', port: 50_000 });
});

t.test('knows no address of a unix or vsock peer, and the CID of the latter', async (t) => {
  t.equal(peerOf(TCP, encodeUnix('/run/x.sock')).address, undefined);
  t.equal(peerOf(TCP, Buffer.alloc(16)).address, undefined);
  const from = encodeVsock(toCid(16), toVsockPort(5));
  t.same(peerOf(parseEndpoint('vsock://any:5432'), from), { cid: 16, address: undefined });
  t.same(peerOf(parseEndpoint('vsock-uds:///x?port=1&cid=7'), encodeUnix('')), { cid: 7, address: undefined });
  t.same(peerOf(parseEndpoint('unix:///x'), encodeUnix('')), { cid: undefined, address: undefined });
});
