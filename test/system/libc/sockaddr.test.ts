/** Socket addresses to the byte. */
import t from 'tap';
import {
  decodeInetPort,
  decodeVsockCid,
  encodeInet,
  encodeUnix,
  encodeVsock,
  MAX_SOCKADDR_BYTES,
} from '../../../system/libc/sockaddr.ts';
import { CID_ANY, CID_PARENT, toVsockPort } from '../../../wire/brands.ts';

function hex(bytes: Buffer | undefined): string | undefined {
  return bytes?.toString('hex');
}

t.test('encodes sockaddr_vm: family 40, reserved, port, CID, flags 0', async (t) => {
  t.equal(hex(encodeVsock(CID_PARENT, toVsockPort(9000))), '28000000282300000300000000000000');
  t.equal(hex(encodeVsock(CID_ANY, toVsockPort(0xfffffffe))), '28000000feffffffffffffff00000000');
});

t.test('reads the CID of a vsock peer, and none of others', async (t) => {
  t.equal(decodeVsockCid(encodeVsock(CID_PARENT, toVsockPort(9000))), CID_PARENT);
  t.equal(decodeVsockCid(encodeUnix('/x')), undefined);
});

t.test('encodes sockaddr_in and sockaddr_in6', async (t) => {
  t.equal(hex(encodeInet('192.0.2.7', 5432)), '02001538c00002070000000000000000');
  const six = (address: string) => `0a00153800000000${address}00000000`;
  t.equal(hex(encodeInet('2001:db8::1', 5432)), six('20010db8000000000000000000000001'));
  t.equal(hex(encodeInet('::', 5432)), six('00000000000000000000000000000000'));
  t.equal(hex(encodeInet('fe80:1:2:3:4:5:6:7', 5432)), six('fe800001000200030004000500060007'));
  t.equal(hex(encodeInet('1::', 5432)), six('00010000000000000000000000000000'));
  t.equal(hex(encodeInet('::ffff:192.0.2.7', 5432)), six('00000000000000000000ffffc0000207'));
});

t.test('knows what is no literal', async (t) => {
  for (const host of ['db.test', '', '1.2.3', 'fe80::1%eth0', '256.0.0.1']) t.equal(encodeInet(host, 1), undefined);
});

t.test('reads the port of a TCP address', async (t) => {
  t.equal(decodeInetPort(encodeInet('127.0.0.1', 65535)!), 65535);
  t.equal(decodeInetPort(encodeInet('::1', 1)!), 1);
});

t.test('encodes sockaddr_un with its terminating NUL, also at full length', async (t) => {
  const longest = `/${'x'.repeat(106)}`;
  const bytes = encodeUnix(longest);
  t.equal(bytes.length, MAX_SOCKADDR_BYTES);
  t.equal(bytes.readUInt16LE(0), 1);
  t.equal(bytes.toString('latin1', 2), `${longest}\0`);
});
