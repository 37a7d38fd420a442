/**
 * Stands in for QEMU with an enclave in it: writes a console, sends the heartbeat, reports over the control connection, and
 * stops when asked. What it does is in the image file, JSON: {vsockPath, does: 'serve' | 'poison' | 'fail' | 'panic' | 'reset' |
 * 'hang', deaf?: true, repeats?: true}. It refuses to start when the control route is not open: routes come first.
 */
const { existsSync, readFileSync } = require('node:fs');
const { createConnection } = require('node:net');
const words = process.argv.slice(2);
const { vsockPath, does, deaf, repeats } = JSON.parse(readFileSync(words[words.indexOf('-kernel') + 1], 'utf8'));

console.log('[    0.000000] Linux version 6.12.0');
if (!existsSync(`${vsockPath}_9001`) || !existsSync(`${vsockPath}_9000`)) {
  console.log('no route is open yet');
  process.exit(7);
}
const frame = (message) => {
  const payload = Buffer.from(JSON.stringify(message));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return Buffer.concat([length, payload]);
};
const control = createConnection({ path: `${vsockPath}_9001` });
const say = (state, phase, errorCode = null) =>
  control.write(frame({ type: 'status', status: { state, phase, detail: null, errorCode, sinceMs: 1 } }));
control.write(frame({ type: 'hello', protocol: 1, bootId: String(process.pid), release: '0', simulated: true }));
control.write(frame({ type: 'measurements', pcrs: { PCR0: 'ab'.repeat(48) }, acraServer: 'none' }));
say('booting', 'nsm');
control.on('data', (bytes) => {
  if (!bytes.includes('"stop"') || deaf) return;
  console.log('stopping in order');
  say('stopped', 'serve');
  control.end(() => process.exit(0));
});
control.on('error', () => undefined);

const acts = {
  serve: () => {
    say('serving', 'serve');
    if (repeats) setInterval(() => say('serving', 'serve'), 20);
  },
  poison: () => {
    say('serving', 'serve');
    say('failed', 'serve', 'ACRA_EXIT_POISON_RECORD');
  },
  fail: () => {
    say('failed', 'master-key', 'KMS_ACCESS_DENIED');
    control.end(() => process.exit(0));
  },
  panic: () => {
    console.log('[    1.000000] Kernel panic - not syncing: no init');
    process.exit(0);
  },
  reset: () => console.log('[    0.000000] Linux version 6.12.0'),
  hang: () => undefined,
};
if (does === 'hang') setInterval(() => undefined, 60_000);
else {
  const heartbeat = createConnection({ path: `${vsockPath}_9000` });
  heartbeat.write(Buffer.from([0xb7]));
  heartbeat.on('data', (bytes) => {
    console.log(`heartbeat answered ${bytes.toString('hex')}`);
    heartbeat.end();
    acts[does]();
  });
}
