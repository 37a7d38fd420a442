/** What the parent takes of an enclave, of which it believes nothing. */
import t from 'tap';
import { parseEnclaveMessage } from '../../../wire/control/messages.ts';
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
