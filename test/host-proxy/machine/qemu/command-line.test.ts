import t from 'tap';
import { qemuRun } from '../../../../config/enclave-run.ts';
import { qemuArguments, vhostArguments, vhostSocketPath } from '../../../../host-proxy/machine/qemu/command-line.ts';
import { toCid } from '../../../../wire/brands.ts';

const run = (settings: object = {}) => qemuRun.parse({ driver: 'qemu', image: '/images/a.eif', ...settings });

t.test('starts the machine with what vm-tier found to work', async (t) => {
  const words = qemuArguments(run({ name: 'records', cpuCount: 3, memoryMiB: 512 }), '/run/vhost.sock');
  const pairs = words.join(' ');
  t.match(pairs, '-M nitro-enclave,vsock=vsock,id=records');
  t.match(pairs, '-chardev socket,id=vsock,path=/run/vhost.sock');
  t.match(pairs, '-kernel /images/a.eif -m 512M -smp 3');
  t.match(pairs, '-accel tcg -cpu max -no-reboot');
  t.match(pairs, '-nodefaults -nographic -monitor none -serial stdio');
  t.notOk(words.includes('-L'), 'QEMU knows its own firmware');
});

t.test('takes the firmware from where it is told', async (t) => {
  t.same(qemuArguments(run({ firmware: '/fw' }), '/s').slice(0, 2), ['-L', '/fw']);
});

t.test('keeps a comma in a path from beginning another option', async (t) => {
  t.ok(qemuArguments(run(), '/a,server=on').includes('socket,id=vsock,path=/a,,server=on'));
});

t.test('gives the device a buffer that the guest cannot overrun', async (t) => {
  const words = vhostArguments(toCid(16), '/run/vm', vhostSocketPath('/run'));
  t.same(words.slice(0, 6), ['--guest-cid', '16', '--uds-path', '/run/vm', '--socket', '/run/vhost.sock']);
  t.same(words.slice(6), ['--tx-buffer-size', '32000']);
});
