import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import koffi from 'koffi';
import t from 'tap';
import { NsmError } from '../../../attestation/errors.ts';
import { openNsmDevice } from '../../../attestation/nsm/device.ts';
import { packNsmMessage, takeNsmResponse } from '../../../attestation/nsm/ioctl-message.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const request = Buffer.from('request');

function memoryAt(address: bigint, length: number): Buffer {
  return Buffer.from(koffi.view(address, length));
}

t.test('the ioctl message points at the request and at 12288 free bytes', (t) => {
  const block = packNsmMessage(request);
  const address = koffi.address(block);
  const [requestAt, requestLength, responseAt, responseLength] = [0, 8, 16, 24].map((at) => block.readBigUInt64LE(at));
  t.equal(requestLength, 7n);
  t.same(memoryAt(requestAt!, 7), request);
  t.equal(responseLength, 0x3000n);
  t.same(memoryAt(responseAt!, 0x3000), Buffer.alloc(0x3000));
  t.equal(responseAt! + responseLength!, address + BigInt(block.length), 'the response ends where the block ends');
  t.end();
});

t.test('the kernel finds request and response where the message says', async (t) => {
  const path = join(temporaryFolder(t), 'file');
  const out = openSync(path, 'w');
  const back = openSync(path, 'r');
  t.teardown(() => {
    closeSync(out);
    closeSync(back);
  });
  const [write, read] = ['writev', 'readv'].map((name) => {
    const call = koffi.load(null).func(`long ${name}(int fd, void *vector, int count)`);
    return promisify(call.async);
  });
  const block = packNsmMessage(request);
  t.equal(await write!(out, block, 1), 7, 'the first vector is the request');
  t.same(readFileSync(path), request);
  writeFileSync(path, 'answer');
  t.equal(await read!(back, block.subarray(16), 1), 6, 'the second vector is the response');
  block.writeBigUInt64LE(6n, 24);
  t.same(takeNsmResponse(block), Buffer.from('answer'));
});

t.test('takes as much of the response as the driver reports, and zeroes the rest', (t) => {
  const block = packNsmMessage(request);
  block.write('answer', block.length - 0x3000);
  block.writeBigUInt64LE(6n, 24);
  t.same(takeNsmResponse(block), Buffer.from('answer'));
  t.ok(block.every((byte) => byte === 0));
  t.end();
});

t.test('rejects a response longer than its room (NSM_RESPONSE_INVALID)', (t) => {
  for (const length of [0x3001n, 2n ** 64n - 1n]) {
    const block = packNsmMessage(request);
    block.writeBigUInt64LE(length, 24);
    throwsCode(() => takeNsmResponse(block), NsmError, 'NSM_RESPONSE_INVALID');
  }
  t.end();
});

t.test('rejects a device that is not there (NSM_DEVICE_OPEN)', (t) => {
  const error = throwsCode(() => openNsmDevice(join(temporaryFolder(t), 'nsm')), NsmError, 'NSM_DEVICE_OPEN');
  t.match(error.cause, { code: 'ENOENT' });
  t.end();
});

t.test('names the errno of a driver that knows no such call (NSM_DEVICE_IOCTL)', async (t) => {
  const device = openNsmDevice('/dev/null');
  const calls = [1, 2, 3].map(() => rejectsCode(() => device.exchange(request), NsmError, 'NSM_DEVICE_IOCTL'));
  for (const error of await Promise.all(calls)) t.equal(error.found, 'ENOTTY');
  await device.close();
});

t.test('does nothing after it has been closed, as often as one likes (NSM_CLOSED)', async () => {
  const device = openNsmDevice('/dev/null');
  const underWay = rejectsCode(() => device.exchange(request), NsmError, 'NSM_DEVICE_IOCTL');
  await Promise.all([device.close(), device.close()]);
  await rejectsCode(() => device.exchange(request), NsmError, 'NSM_CLOSED');
  await underWay;
});
