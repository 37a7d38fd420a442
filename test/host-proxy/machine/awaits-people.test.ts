/** When an enclave that does not serve yet is left in peace: while nothing goes on without people, and no longer. */
import t from 'tap';
import { awaitsPeople } from '../../../host-proxy/machine/awaits-people.ts';
import type { EnclaveStatus } from '../../../wire/control/messages.ts';

const booting = { state: 'booting', detail: null, errorCode: null, sinceMs: 0 } as const;
const cases: readonly [what: string, status: EnclaveStatus | undefined, isAwaited: boolean][] = [
  ['nothing is known of it', undefined, false],
  ['it asks KMS', { ...booting, phase: 'master-key', errorCode: 'KMS_THROTTLED' }, false],
  ['it wants a certificate', { ...booting, phase: 'certificate' }, true],
  ['it has no key set', { ...booting, phase: 'key-set', errorCode: 'KEY_SET_MISSING' }, true],
  ['it takes a key set', { ...booting, phase: 'key-set' }, false],
  ['KMS does not open the key set', { ...booting, phase: 'key-set', errorCode: 'KMS_THROTTLED' }, false],
  ['it failed meanwhile', { ...booting, phase: 'key-set', errorCode: 'KEY_SET_MISSING', state: 'failed' }, false],
];

t.test('waits for people in the phases that need them, and only while they are needed', async (t) => {
  for (const [what, status, isAwaited] of cases) t.equal(awaitsPeople({ status }), isAwaited, what);
});
