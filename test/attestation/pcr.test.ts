import { createHash } from 'node:crypto';
import t from 'tap';
import { extendPcrValue, isZeroPcr, measurePcr } from '../../attestation/pcr.ts';

const bytes = (...texts: string[]) => texts.map((text) => Buffer.from(text));

t.test('measures image content as Nitro does', (t) => {
  const cmdline = 'reboot=k panic=30';
  t.equal(
    measurePcr(bytes('KERNEL', cmdline, 'RAMDISK0', 'RAMDISK1')).toString('hex'),
    '5ac5180ff02814bf0dd3177ddbc06b67f39fb131640c958bc58aed19d81893e378c8c504a3b86379f37cd3c0ef02f4df',
  );
  t.equal(
    measurePcr(bytes('KERNEL', cmdline, 'RAMDISK0')).toString('hex'),
    'ecaf365aabb24b65b0a2f9222646cdcc8b033e9908c32814da8c1d40e71a1718675e45df68446c0ccdafd8c02f9640a4',
  );
  t.equal(
    measurePcr(bytes('RAMDISK1')).toString('hex'),
    '5f699ae4300525c628f5c96fc521729dd6ca1a2c07cb07b69e7ae9e3fa935cfd7cc83b3e26d89201a486d9db2405c562',
  );
  t.equal(
    measurePcr([]).toString('hex'),
    '21b9efbc184807662e966d34f390821309eeac6802309798826296bf3e8bec7c10edb30948c90ba67310f7b964fc500a',
  );
  t.end();
});

t.test('measures the same content alike however it is cut', (t) => {
  t.same(measurePcr(bytes('KER', '', 'NEL')), measurePcr(bytes('KERNEL')));
  t.end();
});

t.test('extends a register with SHA384(old ‖ data)', (t) => {
  const old = Buffer.alloc(48, 7);
  const expected = createHash('sha384')
    .update(Buffer.concat([old, Buffer.from('data')]))
    .digest();
  t.same(extendPcrValue(old, Buffer.from('data')), expected);
  t.end();
});

t.test('knows an all-zero register', (t) => {
  const almost = Buffer.alloc(48);
  t.ok(isZeroPcr(almost));
  almost[47] = 1;
  t.notOk(isZeroPcr(almost));
  t.end();
});
