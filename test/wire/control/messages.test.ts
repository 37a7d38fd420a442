/** What the parent takes of an enclave, of which it believes nothing. */
import t from 'tap';
import { appTable } from '../../../supervisor/boot/app-table.ts';
import { bootTable } from '../../../supervisor/boot/table.ts';
import { parseEnclaveMessage } from '../../../wire/control/messages.ts';
import { BOOT_PHASES } from '../../../wire/control/said.ts';
import { WireError } from '../../../wire/errors.ts';
import { throwsCode } from '../../support/coded-error.ts';

const status = (sinceMs: number) =>
  Buffer.from(
    JSON.stringify({
      type: 'status',
      status: { state: 'serving', phase: 'serve', detail: null, errorCode: null, sinceMs },
    }),
  );
const log = (timeMs: number) =>
  Buffer.from(
    JSON.stringify({ type: 'logs', dropped: 0, records: [{ seq: 1, timeMs, level: 'info', event: 'e', fields: {} }] }),
  );

t.test('rejects times that no calendar has: neither log nor page could show them', async () => {
  for (const message of [status, log]) {
    parseEnclaveMessage(message(8.64e15));
    throwsCode(() => parseEnclaveMessage(message(8.64e15 + 1)), WireError, 'WIRE_MESSAGE_INVALID');
  }
});

/** What the parent believes of a status, or another message, of which some words are these. */
function heard(said: { readonly phase?: string; readonly detail?: string; readonly errorCode?: string }) {
  const quiet = { state: 'booting', phase: 'clock', detail: null, errorCode: null, sinceMs: 0 };
  const message = parseEnclaveMessage(Buffer.from(JSON.stringify({ type: 'status', status: { ...quiet, ...said } })));
  if (message.type !== 'status') throw new Error('another message');
  return message.status;
}

t.test('knows every phase of a boot, of Acra and of any application', async (t) => {
  const phases = [
    'start',
    ...bootTable.phases.map(({ name }) => name),
    ...appTable.phases.map(({ name }) => name),
    'serve',
  ];
  for (const phase of phases) t.equal(heard({ phase }).phase, phase);
  t.same([...BOOT_PHASES].sort(), [...new Set(phases)].sort());
});

t.test('shows no phase that it does not know: an enclave that was changed speaks in nobody’s name', async (t) => {
  for (const phase of ['all is well; call +1 555 0100', 'Clock', 'clock ', '', '__proto__', 'constructor']) {
    t.equal(heard({ phase }).phase, 'unknown');
  }
  throwsCode(() => heard({ phase: 'x'.repeat(61) }), WireError, 'WIRE_MESSAGE_INVALID');
});

t.test('takes for an error code what is written as one, and nothing else', async (t) => {
  t.equal(heard({ errorCode: 'KMS_ACCESS_DENIED' }).errorCode, 'KMS_ACCESS_DENIED');
  for (const errorCode of ['all is well', 'kms', 'KMS ACCESS', `K${'X'.repeat(70)}`]) {
    t.equal(heard({ errorCode }).errorCode, 'other');
  }
});

t.test('keeps of free text one line that no terminal and no browser obeys, and no more than was allowed', async (t) => {
  const control = Array.from({ length: 0x20 }, (_, point) => String.fromCharCode(point)).join('');
  const detail = `waiting${control}\u007f\u009b31m\u2028\u202e\u200f\u061c`;
  const shown = heard({ detail }).detail ?? '';
  t.notMatch(shown, /[^\x20-\x7e]/);
  t.match(shown, /^waiting/);
  t.equal(heard({ detail: shown }).detail, shown, 'and says the same when it is read once more');
  t.equal(heard({ detail: '\u202e'.repeat(4_000) }).detail?.length, 4_000);
  throwsCode(() => heard({ detail: 'x'.repeat(4_001) }), WireError, 'WIRE_MESSAGE_INVALID');
});

t.test('keeps of an enclave’s release, boot and programs the same', async (t) => {
  const bad = '\u202e1.0\n\u001b[2J';
  const one = { clientId: bad, state: 'serving', sessions: 0, restarts: 0 };
  const told = [
    { type: 'hello', protocol: 1, bootId: bad, release: bad, simulated: false },
    { type: 'measurements', pcrs: {}, acraServer: bad },
    { type: 'identities', known: 1, running: 1, listed: [one] },
  ];
  for (const each of told) {
    const shown = JSON.stringify(parseEnclaveMessage(Buffer.from(JSON.stringify(each))));
    t.ok(shown.includes(JSON.stringify('\\u202e1.0 \\x1b[2J')), shown);
  }
});
